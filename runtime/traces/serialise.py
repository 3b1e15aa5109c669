"""Finds events and traces, and serialises them (contract 3.1, 3.2)."""

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, TypedDict

from django.db.models import Count, Max, Min, QuerySet

from agents.models import Agent
from runtime.mirrors import MIRROR_PREFIX, fetch_mirrored
from runtime.models import RuntimeEvent, log_of
from runtime.public import shown_payload
from workspaces.models import Workspace

SOURCE = "runtime_event_log"


class EventRow(TypedDict):
    """One event in the shape of contract 3.2."""

    event_id: int
    request_id: str | None
    request_seq: int | None
    trace_id: str | None
    app_id: str
    agent_id: str
    session_id: str | None
    event_type: str
    loop_index: int | None
    step_key: str | None
    payload: dict[str, Any]
    created_at: float


class TraceSummary(TypedDict):
    """One trace in the shape of contract 3.1, `list_recent_traces`."""

    trace_id: str
    session_id: str
    event_count: int
    started_at: float
    latest_event_at: float
    latest_event_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events; None does not filter, and an id that cannot be one finds nothing."""

    agent_id: str | None = None
    session_id: str | None = None
    trace_id: str | None = None
    request_id: str | None = None

    def apply(self, workspace: Workspace) -> "QuerySet[RuntimeEvent]":
        events = self._log(workspace).select_related("agent_request").only(*_COLUMNS)
        if self.agent_id is not None:
            events = events.filter(agent_name=self.agent_id)
        if self.session_id is not None:
            events = events.filter(session_id=self.session_id)
        return events if self.trace_id is None else events.filter(trace_id=_uuid(self.trace_id))

    def _log(self, workspace: Workspace) -> "QuerySet[RuntimeEvent]":
        """The workspace's, or that of the few requests that can be meant, whose indexes know traces and ids."""
        owners = {"trace_id": self.trace_id, "request_id": self.request_id}
        meant = {name: _uuid(text) for name, text in owners.items() if text is not None}
        if not meant:
            return workspace.events.all()
        if None in meant.values():
            return workspace.events.none()
        return log_of(workspace.agent_requests.filter(**meant))


_COLUMNS = (
    *(field.name for field in RuntimeEvent._meta.fields if field.name != "dedupe_key"),
    "agent_request__request_id",
)
_ROW_COLUMNS = [field.attname for field in RuntimeEvent._meta.concrete_fields if field.name != "dedupe_key"]


def event_row(event: RuntimeEvent) -> EventRow:
    return _row(event, str(event.agent_request.request_id), shown_payload(event))


def _row(event: Any, request_id: str, payload: dict[str, Any]) -> EventRow:
    return EventRow(
        event_id=event.id,
        request_id=request_id,
        request_seq=event.sequence,
        trace_id=str(event.trace_id) if event.trace_id else None,
        app_id=event.agent_name,
        agent_id=event.agent_name,
        session_id=event.session_id,
        event_type=event.event_type,
        loop_index=event.loop_index,
        step_key=event.step_key or None,
        payload=payload,
        created_at=event.created_at.timestamp(),
    )


def event_rows(workspace: Workspace, events: Sequence[RuntimeEvent]) -> list[EventRow]:
    """The events of one page; what a subagent did is fetched for all of them together."""
    fetch_mirrored(workspace, events)
    return [event_row(event) for event in events]


def newest_events(workspace: Workspace, which: EventFilter, *, limit: int, after_event_id: int = 0) -> list[EventRow]:
    """The newest `limit` of these events, oldest first."""
    newest = which.apply(workspace).filter(id__gt=after_event_id).order_by("-id")[:limit]
    return event_rows(workspace, list(newest)[::-1])


def trace_events(workspace: Workspace, which: EventFilter) -> list[EventRow]:
    """Every event of one trace in order; none for an unknown one."""
    return event_rows(workspace, list(which.apply(workspace).order_by("id")))


def events_by_request(workspace: Workspace, keys: Collection[int]) -> Iterator[tuple[int, list[EventRow]]]:
    """Each of these requests' keys with its events in order: for readers of many, who hold one request at a time."""
    requests = workspace.agent_requests.filter(pk__in=keys)
    ids = dict(requests.values_list("pk", "request_id"))
    log = log_of(requests).order_by("agent_request_id", "sequence")
    mirrors = list(log.filter(event_type__startswith=MIRROR_PREFIX))
    fetch_mirrored(workspace, mirrors)
    told = {mirror.pk: shown_payload(mirror) for mirror in mirrors}
    events = log.values_list(*_ROW_COLUMNS, named=True).iterator(chunk_size=1000)
    for key, own in groupby(events, attrgetter("agent_request_id")):
        request_id = str(ids[key])
        yield key, [_row(event, request_id, told.get(event.id, event.payload)) for event in own]


def recent_traces(workspace: Workspace, agent: Agent, *, session_id: str | None, limit: int) -> list[TraceSummary]:
    """The traces of the newest requests, the one with the newest event first."""
    requests = workspace.agent_requests.filter(agent=agent, trace_id__isnull=False)
    if session_id is not None:
        requests = requests.filter(session_id=session_id)
    newest = list(requests.order_by("-pk").values_list("pk", flat=True)[:limit])
    found = (
        log_of(workspace.agent_requests.filter(pk__in=newest))
        .filter(trace_id__isnull=False)
        .order_by()
        .values("trace_id", "session_id")
        .annotate(count=Count("id"), first=Min("created_at"), last=Max("created_at"), newest=Max("id"))
    )
    return [
        TraceSummary(
            trace_id=str(row["trace_id"]),
            session_id=row["session_id"],
            event_count=row["count"],
            started_at=row["first"].timestamp(),
            latest_event_at=row["last"].timestamp(),
            latest_event_id=row["newest"],
        )
        for row in sorted(found, key=lambda row: -row["newest"])
    ]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
