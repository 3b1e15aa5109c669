"""Reads the environment, and fails loudly on a value that makes no sense."""

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def env_text(name: str, default: str = "") -> str:
    """The variable's trimmed text; blank counts as unset."""
    return os.environ.get(name, "").strip() or default


def env_flag(name: str, *, default: bool = False) -> bool:
    text = env_text(name).lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")


def env_number(name: str, default: int, *, minimum: int = 0) -> int:
    text = env_text(name)
    if not text:
        return default
    try:
        number = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.") from None
    if number < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {number}.")
    return number


def env_choice(name: str, choices: Sequence[str]) -> str:
    """One of these words; the first when nothing is set."""
    text = env_text(name, choices[0]).lower()
    if text not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {text!r}.")
    return text


def env_list(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in env_text(name, default).split(",") if item.strip()]


def env_secret(name: str, *, file: Path, make: Callable[[], str] = lambda: secrets.token_urlsafe(50)) -> str:
    """The variable, else the secret kept in `file` (mode 0600), which is made on first use."""
    text = env_text(name)
    if text:
        return text
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        return _keep_secret(file, make())


def _keep_secret(file: Path, secret: str) -> str:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secret)
    try:
        # A hard link fails when another process was first: all processes then agree on its secret.
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_text().strip()
