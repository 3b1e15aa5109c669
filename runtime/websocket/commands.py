"""What a client may say: one JSON object per frame, with an `op` and an optional `ref` that comes back in the answer."""

import json
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from rest_framework import serializers

from runtime.api.serializers import InteractionBody, SubmitBody
from workspaces.api.envelope import InvalidBody
from workspaces.api.parsers import StrictJSONParser
from workspaces.api.serializers import BodySerializer, StrictCharField, read

MAX_REF_CHARACTERS = 255
_MAX_CURSOR = 10**18 - 1


class CommandBody(BodySerializer):
    op = StrictCharField()
    ref = StrictCharField(required=False, max_length=MAX_REF_CHARACTERS)


class RequestBody(CommandBody):
    request_id = serializers.UUIDField()


class SubscribeBody(RequestBody):
    after_seq = serializers.IntegerField(required=False, default=0, min_value=0, max_value=_MAX_CURSOR)


class SubmitCommandBody(CommandBody, SubmitBody):
    agent_id = StrictCharField(max_length=255)
    idempotency_key = StrictCharField(required=False, default="", allow_blank=True, max_length=255)


class AnswerBody(RequestBody, InteractionBody):
    pass


BODIES: dict[str, type[CommandBody]] = {
    "subscribe": SubscribeBody,
    "unsubscribe": RequestBody,
    "submit": SubmitCommandBody,
    "cancel": RequestBody,
    "answer": AnswerBody,
    "ping": CommandBody,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    op: str = ""
    ref: str = ""
    fields: Any = None
    """The frame as it came; `values_of` checks it."""


def read_command(frame: str | None) -> Command:
    """The frame's `op` and `ref`; raises `InvalidBody` where nothing can be answered to a `ref`."""
    if frame is None:
        raise _invalid("binary", "Send text frames: one JSON object each.")
    # Half a surrogate pair cannot come: the frame was UTF-8.
    fields = StrictJSONParser().parse(BytesIO(frame.encode()))
    if not isinstance(fields, dict):
        raise _invalid("dict_type", "Not an object.")
    op, ref = fields.get("op"), fields.get("ref")
    return Command(
        op=op if isinstance(op, str) else "",
        ref=ref if isinstance(ref, str) and len(ref) <= MAX_REF_CHARACTERS else "",
        fields=fields,
    )


def values_of(command: Command) -> dict[str, Any]:
    """The checked fields of the command, without `op` and `ref`."""
    body = BODIES.get(command.op)
    if body is None:
        raise _invalid("enum", f"One of {', '.join(BODIES)}.", "op")
    values = read(body, command.fields, place="frame")
    return {name: value for name, value in values.items() if name not in {"op", "ref"}}


def acknowledgement(command: Command, data: dict[str, Any]) -> str:
    return _message({"event": "ack", "op": command.op, "data": data}, command)


def refusal(command: Command, error: dict[str, Any]) -> str:
    """`error` is an error envelope."""
    return _message({"event": "error", "op": command.op or None, **error}, command)


def _message(content: dict[str, Any], command: Command) -> str:
    return json.dumps(content | ({"ref": command.ref} if command.ref else {}), separators=(",", ":"))


def _invalid(kind: str, message: str, *place: str) -> InvalidBody:
    return InvalidBody([{"type": kind, "loc": ["frame", *place], "msg": message}])
