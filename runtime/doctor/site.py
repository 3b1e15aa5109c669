"""What the site was told: secrets (where they come from, never what they are), hosts, HTTPS, debug mode."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from cryptography.fernet import Fernet
from django.conf import settings

from runtime.doctor.finding import Finding, fail, ok, warn

_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


def examine() -> Iterator[Finding]:
    yield _secret("secret key", "MASH_SECRET_KEY", "secret_key")
    yield _secret("encryption keys", "MASH_ENCRYPTION_KEYS", "encryption_keys")
    yield from _encryption_keys()
    if settings.DEBUG:
        yield warn("debug", "MASH_DEBUG is on: error pages show code and settings", "Unset it outside development.")
    else:
        yield ok("debug", "off")
    yield from _hosts(set(settings.ALLOWED_HOSTS))


def _secret(subject: str, variable: str, name: str) -> Finding:
    file = Path(settings.MASH_DATA_DIR) / name
    if os.environ.get(variable, "").strip():
        return ok(subject, f"from {variable}")
    if not file.exists():
        return fail(subject, f"neither {variable} nor {file} is there", f"Set {variable}.")
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        return warn(subject, f"from {file}, which others may read", f"chmod 600 {file}")
    return ok(subject, f"from {file}; processes on other machines need {variable}")


def _encryption_keys() -> Iterator[Finding]:
    keys = settings.MASH_ENCRYPTION_KEYS
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key.strip())
        except ValueError:
            advice = "`manage.py mash_rotate_keys --new-key` prints a good one."
            yield fail("encryption keys", f"number {number} of {len(keys)} is no Fernet key", advice)
    if len(keys) > 1:
        advice = "Run `manage.py mash_rotate_keys`, then remove the older ones."
        yield warn("encryption keys", f"{len(keys)} are listed: a rotation is under way", advice)


def _hosts(hosts: set[str]) -> Iterator[Finding]:
    if "*" in hosts:
        yield warn("hosts", "MASH_ALLOWED_HOSTS allows every host name", "List the names that people use.")
    else:
        yield ok("hosts", ", ".join(sorted(hosts)))
    if hosts - _LOOPBACK and not settings.MASH_HTTPS:
        advice = "Behind a proxy that speaks HTTPS and sets X-Forwarded-Proto, set MASH_HTTPS=true."
        yield warn("https", "off: cookies and tokens travel in the clear", advice)
