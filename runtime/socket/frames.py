"""What the socket sends: the content of the event streams and the answers to commands, as JSON texts."""

import json
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from workspaces.api.envelope import InvalidBody
from workspaces.api.parsers import StrictJSONParser
from workspaces.errors import MashError

MAX_REFERENCE_CHARACTERS = 100


def event_texts(frames: bytes) -> Iterator[str]:
    """The socket's form of server-sent events; their JSON is taken over as it is, and comments are left out."""
    for frame in frames.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in frame.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            event, cursor = json.dumps(fields["event"]), fields.get("id", "null")
            yield f'{{"event":{event},"id":{cursor},"data":{fields["data"]}}}'


def reply_text(event: str, data: dict[str, Any], reference: str | None) -> str:
    """The answer to a command; `ref` is what the client called it."""
    about = {} if reference is None else {"ref": reference}
    return json.dumps({"event": event, "id": None, "data": data, **about}, separators=(",", ":"))


def error_text(error: MashError, reference: str | None, subject: Mapping[str, Any]) -> str:
    """`subject` says what broke off, where that was not a command."""
    content = {"code": error.code, "message": error.message, "details": {**error.details, **subject}}
    return reply_text("error", content, reference)


def read_frame(text: str | None) -> dict[str, Any]:
    """One JSON object, as strictly read as a body."""
    try:
        frame = StrictJSONParser().parse(BytesIO((text or "").encode()))
    except InvalidBody:
        frame = None
    if not isinstance(frame, dict):
        raise InvalidBody([{"type": "json_invalid", "loc": ["frame"], "msg": "A frame is a JSON object as text."}])
    return frame


def take_reference(frame: dict[str, Any]) -> str | None:
    reference: str | None = frame.pop("ref", None)
    is_text = isinstance(reference, str) and len(reference) <= MAX_REFERENCE_CHARACTERS
    if reference is not None and not is_text:
        text = f"Text of up to {MAX_REFERENCE_CHARACTERS} characters."
        raise InvalidBody([{"type": "string_type", "loc": ["frame", "ref"], "msg": text}])
    return reference
