"""Python, the packages, and the data directory."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from django.conf import settings

from runtime.doctor.finding import Finding, fail, ok, warn

_LITTLE_DISK = 1024**3
_NO_DISK = 100 * 1024**2
_PIN = re.compile(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", re.MULTILINE)


def examine() -> Iterator[Finding]:
    yield ok("python", f"{sys.version.split()[0]} at {sys.executable}")
    yield _packages(Path(settings.BASE_DIR) / "requirements.txt")
    yield from _data_directory(Path(settings.MASH_DATA_DIR))


def _packages(requirements: Path) -> Finding:
    pins = dict(_PIN.findall(requirements.read_text())) if requirements.exists() else {}
    differing = [f"{name} {_installed(name)} instead of {pin}" for name, pin in pins.items() if _installed(name) != pin]
    if differing:
        return warn("packages", ", ".join(differing), "Run `make run` or pip install -r requirements.txt.")
    shown = ", ".join(f"{name} {_installed(name)}" for name in ("django", "django-q2", "anthropic", "openai"))
    return ok("packages", f"{len(pins)} as pinned ({shown})")


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def _data_directory(directory: Path) -> Iterator[Finding]:
    advice = "Give its owner to the user that runs Mash, or point MASH_DATA_DIR elsewhere."
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        yield fail("data directory", f"{directory} cannot be written: {error.strerror}", advice)
        return
    free = shutil.disk_usage(directory).free
    text = f"{directory} is writable, {free / 1024**3:.1f} GB free"
    if free < _NO_DISK:
        yield fail("data directory", text, "Make room: with a full disk no request is accepted.")
    elif free < _LITTLE_DISK:
        yield warn("data directory", text, "Make room soon.")
    else:
        yield ok("data directory", text)
    if directory.stat().st_mode & 0o007 and directory.stat().st_uid == os.getuid():
        yield warn("data directory", f"{directory} is open to every user of this machine", f"chmod o-rwx {directory}")
