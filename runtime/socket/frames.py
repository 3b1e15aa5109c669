"""What the socket sends: the content of the event streams and the answers to commands, as JSON texts."""

import json
from collections.abc import Iterator
from typing import Any

from workspaces.errors import MashError


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


def error_text(error: MashError, reference: str | None) -> str:
    content = {"code": error.code, "message": error.message, "details": error.details}
    return reply_text("error", content, reference)
