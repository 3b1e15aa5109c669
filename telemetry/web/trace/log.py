"""Reads of a request's log what its spans need: small payloads whole, of large ones only the parts that say what they are."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import TextField
from django.db.models.functions import Cast, Length

from runtime.models import AgentRequest, RuntimeEvent
from telemetry.show.spans import FOLDED, LogLine

_SMALL_BYTES = 4096
_COLUMNS = ("agent_request__request_id", "sequence", "event_type", "loop_index", "created_at")
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
}


def read_lines(agent_request: AgentRequest, *, after: int, up_to: int) -> list[LogLine]:
    """The events that make spans, in order, in two statements however large they are."""
    events = agent_request.events.filter(sequence__gt=after, sequence__lte=up_to)
    return [line for _, line in _read(events)]


def read_children(agent_request: AgentRequest, request_ids: list[str]) -> dict[str, list[LogLine]]:
    """The same of requests that worked for this one, by their ids."""
    lines: dict[str, list[LogLine]] = {}
    if request_ids:
        children = agent_request.children.filter(request_id__in=request_ids)
        for request_id, line in _read(agent_request.workspace.events.filter(agent_request__in=children)):
            lines.setdefault(str(request_id), []).append(line)
    return lines


def _read(events: "models.QuerySet[RuntimeEvent]") -> list[tuple[uuid.UUID, LogLine]]:
    events = events.filter(event_type__in=FOLDED).annotate(size=Length(Cast("payload", TextField())))
    small = events.filter(size__lt=_SMALL_BYTES).values_list(*_COLUMNS, "payload")
    large = events.filter(size__gte=_SMALL_BYTES).values(
        *_COLUMNS, *_PARTS.values(), "payload__result__is_error", "payload__result__metadata"
    )
    lines = [*(_small(row) for row in small.order_by()), *(_large(row) for row in large.order_by())]
    return sorted(lines, key=lambda found: found[1].sequence)


def _small(row: tuple[Any, ...]) -> tuple[uuid.UUID, LogLine]:
    request_id, sequence, event_type, loop_index, at, payload = row
    return request_id, LogLine(sequence=sequence, event_type=event_type, loop_index=loop_index, at=at, payload=payload)


def _large(row: dict[str, Any]) -> tuple[uuid.UUID, LogLine]:
    payload = dict(_known(row))
    is_error, metadata = row["payload__result__is_error"], row["payload__result__metadata"]
    payload["result"] = {"is_error": is_error, "metadata": metadata, "content": "failed" if is_error else ""}
    return row["agent_request__request_id"], LogLine(
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
