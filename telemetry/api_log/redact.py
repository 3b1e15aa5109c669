"""Takes secrets out of what is logged: headers by name, JSON and parameters by the names of their keys."""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

REDACTED = "[REDACTED]"
_HEADERS = frozenset({"authorization", "x-api-key", "cookie", "set-cookie", "proxy-authorization", "x-csrftoken"})
_SECRET_KEY = re.compile(
    r"pass(word|wd|phrase)?$|secret|token$|api[_-]?key|credential|authorization|private[_-]?key", re.IGNORECASE
)
_JSON = re.compile(r"json($|;)", re.IGNORECASE)
_TEXT = re.compile(r"^(text/|application/(.*\+)?xml|application/x-www-form-urlencoded)", re.IGNORECASE)
_FORM = re.compile(r"^application/x-www-form-urlencoded", re.IGNORECASE)
_MOST_DEPTH = 20


def headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, Any]:
    """By lower-case name; a repeated one has a list."""
    told: dict[str, Any] = {}
    for raw_name, raw_value in pairs:
        name = raw_name.decode("latin-1").lower()
        value = REDACTED if name in _HEADERS else _clean(raw_value.decode("latin-1"))
        if name not in told:
            told[name] = value
        else:
            told[name] = [*(told[name] if isinstance(told[name], list) else [told[name]]), value]
    return told


def parameters(query: bytes) -> tuple[str, dict[str, Any]]:
    """The query string without its secrets, and its values: one as it is, several as a list."""
    pairs = [
        (_clean(name), REDACTED if _SECRET_KEY.search(name) else _clean(value))
        for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    ]
    parsed: dict[str, Any] = {}
    for name, value in pairs:
        parsed[name] = value if name not in parsed else [*_listed(parsed[name]), value]
    raw = query.decode("latin-1")
    return (_clean(raw) if REDACTED not in str(parsed) else "&".join(f"{n}={v}" for n, v in pairs)), parsed


def body(content: bytes | None, size: int, content_type: str, *, is_stream: bool = False) -> dict[str, Any]:
    """How a body is kept: what it was, how much of it, and the content as far as that may be shown."""
    about: dict[str, Any] = {"content_type": content_type or None, "bytes": size, "truncated": False}
    if status := _not_captured(content, size, content_type, is_stream):
        return {**about, "capture_status": status, "captured_bytes": 0}
    assert content is not None  # noqa: S101  else it was not captured
    about |= {"truncated": size > len(content), "capture_status": "captured", "captured_bytes": len(content)}
    text = _clean(content.decode("utf-8", "replace"))
    if not _JSON.search(content_type):
        return {**about, "text": _form(content, text) if _FORM.search(content_type) else _without_secrets(text)}
    try:
        return {**about, "json": redacted(json.loads(text))}
    except (ValueError, RecursionError):
        return {**about, "text": _without_secrets(text), "parse_error": "invalid_json"}


def redacted(value: Any, depth: int = 0) -> Any:
    if depth > _MOST_DEPTH:
        return "..."
    if isinstance(value, dict):
        return {
            key: REDACTED if _SECRET_KEY.search(key) and item else redacted(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redacted(item, depth + 1) for item in value]
    return value


def _not_captured(content: bytes | None, size: int, content_type: str, is_stream: bool) -> str:
    if is_stream:
        return "streaming_skipped"
    if size == 0:
        return "empty"
    if content is None:
        return "disabled"
    return "" if _JSON.search(content_type) or _TEXT.search(content_type) else "unsupported_content_type"


def _form(content: bytes, text: str) -> str:
    """A form's fields read like a query string."""
    told, _ = parameters(content)
    return told if REDACTED in told else text


def _without_secrets(text: str) -> str:
    """JSON that was cut, or that stands in other text, cannot be read, so whatever follows the name of a secret is taken out up to the next quote."""
    return re.sub(
        r'("[^"]*(?:password|secret|token|api_?key|credential)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"?',
        rf'\1"{REDACTED}"',
        text,
        flags=re.IGNORECASE,
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _clean(text: str) -> str:
    """As a database keeps it."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
