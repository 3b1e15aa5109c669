"""Reads of a request's log what a projection needs: small payloads whole, of large ones only the parts that say what they are."""

import json
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, QuerySet, TextField, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Left, Length

from runtime.errors import RequestNotFound
from runtime.models import AgentRequest, RuntimeEvent, log_of
from workspaces.models import Workspace
from workspaces.scoping import only

SMALL_BYTES = 4096
"""Payloads below this are read whole."""
_PREVIEW = 400
_COLUMNS = ("agent_request_id", "sequence", "event_type", "loop_index", "created_at")
# Where a large payload is large, in its texts, nothing is read.
_PARTS = {
    "tool_name": "payload__tool_name",
    "tool_call_id": "payload__tool_call_id",
    "provider": "payload__provider",
    "model": "payload__model",
    "usage": "payload__usage",
    "cost_usd": "payload__cost_usd",
    "interaction_id": "payload__interaction_id",
    "reason": "payload__reason",
    "path": "payload__path",
    "kind": "payload__kind",
    "attempt": "payload__attempt",
    "request_id": "payload__request_id",
}
_TEXTS = ("assistant_text", "partial_text")
"""Of these the beginning is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """What of an event a projection looks at."""

    sequence: int
    event_type: str
    loop_index: int | None
    at: datetime
    payload: Mapping[str, Any]


def find_request(workspace: Workspace, request_id: uuid.UUID) -> AgentRequest:
    found = only(workspace.agent_requests.with_relatives().filter(request_id=request_id))
    if found is None:
        raise RequestNotFound("There is no such request.")
    return found


def read_lines(
    agent_request: AgentRequest, kinds: Collection[str], *, after: int, up_to: int, whole_below: int = SMALL_BYTES
) -> list[LogLine]:
    """The events of these kinds, in order; another statement when some of them are large."""
    events = agent_request.events.filter(sequence__gt=after, sequence__lte=up_to, event_type__in=kinds)
    return [line for _, line in _read(events, whole_below)]


def read_many(
    agent_requests: Collection[AgentRequest], kinds: Collection[str], *, whole_below: int = SMALL_BYTES
) -> list[tuple[int, LogLine]]:
    """The same of several requests' whole logs, each line with its request's key."""
    if not agent_requests:
        return []
    workspace = next(iter(agent_requests)).workspace
    keys = [row.pk for row in agent_requests]
    events = log_of(workspace.agent_requests.filter(pk__in=keys)).filter(event_type__in=kinds)
    return _read(events, whole_below)


def _read(events: QuerySet[RuntimeEvent], whole_below: int) -> list[tuple[int, LogLine]]:
    text = Cast("payload", TextField())
    sized = events.annotate(size=Length(text)).order_by()
    # As text, for a field's value takes the ORM longer than the JSON in it.
    whole = Case(When(size__lt=whole_below, then=text), output_field=TextField())
    found = list(sized.annotate(whole=whole).values_list(*_COLUMNS, "whole"))
    lines = _whole([row for row in found if row[-1] is not None])
    if len(lines) < len(found):
        lines += map(_large, _parts_of(sized.filter(size__gte=whole_below)))
    return sorted(lines, key=lambda line: (line[0], line[1].sequence))


def _parts_of(large: QuerySet[RuntimeEvent]) -> list[dict[str, Any]]:
    told = {f"told_{name}": Left(KeyTextTransform(name, "payload"), _PREVIEW) for name in _TEXTS}
    columns = (*_COLUMNS, *_PARTS.values(), *told, "payload__result__is_error", "payload__result__metadata")
    return list(large.annotate(**told).values(*columns))


def _whole(rows: Collection[tuple[Any, ...]]) -> list[tuple[int, LogLine]]:
    payloads = json.loads(f"[{','.join(row[-1] for row in rows)}]")
    return [
        (request_pk, LogLine(sequence=sequence, event_type=event_type, loop_index=loop_index, at=at, payload=payload))
        for (request_pk, sequence, event_type, loop_index, at, _), payload in zip(rows, payloads, strict=True)
    ]


def _large(row: dict[str, Any]) -> tuple[int, LogLine]:
    payload = {**dict(_known(row)), **{name: row[f"told_{name}"] for name in _TEXTS}}
    is_error, metadata = row["payload__result__is_error"], row["payload__result__metadata"]
    payload["result"] = {"is_error": is_error, "metadata": metadata, "content": "failed" if is_error else ""}
    return row["agent_request_id"], LogLine(
        sequence=row["sequence"],
        event_type=row["event_type"],
        loop_index=row["loop_index"],
        at=row["created_at"],
        payload=payload,
    )


def _known(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, column in _PARTS.items():
        if row[column] is not None:
            yield name, row[column]
