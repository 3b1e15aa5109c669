"""The append-only log: the only file that writes it (design.md 3)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections, router, transaction
from django.utils import timezone

from runtime import drafts, news
from runtime.errors import RequestCancelled, StaleAttempt
from runtime.kinds import UNFINISHED, EventKind, RequestKind
from runtime.mirrors import MIRROR_PREFIX, mirror_kind, mirror_reference
from runtime.models import AgentRequest, RuntimeEvent
from runtime.news import News
from runtime.public import frame, is_terminal_event, last_boundary
from runtime.tally import tally
from runtime.usage import meter

_TABLE = AgentRequest._meta.db_table


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event that has happened and is not in the log yet. With a `dedupe_key` it happens once per request."""

    event_type: EventKind
    payload: Mapping[str, Any] = field(default_factory=dict)
    loop_index: int | None = None
    key: str | None = None
    """Both `dedupe_key` and, for steps, `step_key`."""
    is_step: bool = False
    trace_id: UUID | None = None
    """Of work that has a trace of its own; None: the request's."""
    created_at: datetime = field(default_factory=timezone.now)


def append(agent_request: AgentRequest, events: Sequence[NewEvent], attempt: int | None = None) -> list[RuntimeEvent]:
    """Writes the events with the next sequence numbers, in one transaction, and tells the streams after its commit.

    Events of model calls get their price here, and are added to what the request and the workspace have used.

    With `attempt`, only while that attempt runs the request: otherwise `StaleAttempt`, or `RequestCancelled` when somebody
    asked it to stop, and nothing is written. An event whose dedupe key is in the log already is left out; a first attempt
    writes in one straight line, so it does not ask.
    """
    using = router.db_for_write(RuntimeEvent)
    events = [_priced(agent_request, event) for event in events]
    with transaction.atomic(using=using, savepoint=False):
        fresh, first = _make_room(agent_request, events, attempt, using)
        return _write(agent_request, fresh, first, using)


def begin_log(agent_request: AgentRequest, event: NewEvent) -> None:
    """Writes the first event of a request that the same transaction has inserted, with its head at 1."""
    _write(agent_request, [event], 0, router.db_for_write(RuntimeEvent))


def _write(agent_request: AgentRequest, events: Sequence[NewEvent], first: int, using: str) -> list[RuntimeEvent]:
    rows = [_row(agent_request, first + place, event) for place, event in enumerate(events, start=1)]
    agent_request.workspace.events.bulk_create(rows)
    meter.count(agent_request, rows, using)
    drafts.discard_with(agent_request, [row.event_type for row in rows])
    agent_request.last_sequence = first + len(rows)
    told = _news(agent_request, rows, agent_request.last_sequence)
    transaction.on_commit(lambda: news.publish(told), using=using, robust=True)
    if agent_request.parent_id:
        _mirror(agent_request, rows, using)
    return rows


def _mirror(agent_request: AgentRequest, rows: list[RuntimeEvent], using: str) -> None:
    """Refers to a child's events in its parent's log, as long as the parent is there to see them (contract 3.6)."""
    parent = agent_request.parent
    own = [row for row in rows if not row.event_type.startswith(MIRROR_PREFIX)]
    if parent is None or not own or parent.kind == RequestKind.WORKFLOW:
        # A run's own log says how its steps began and ended, and names their requests.
        return
    try:
        head = _raise_sequence(parent, len(own), None, using, only_unfinished=True)
    except StaleAttempt:
        return
    events = [
        NewEvent(event_type=mirror_kind(row), payload=mirror_reference(row, agent_request, parent)) for row in own
    ]
    mirrors = [_row(parent, head - len(own) + place, event) for place, event in enumerate(events, start=1)]
    parent.workspace.events.bulk_create(mirrors)
    for mirror, row in zip(mirrors, own, strict=True):
        mirror.mirrored = row
    told = _news(parent, mirrors, head)
    transaction.on_commit(lambda: news.publish(told), using=using, robust=True)


def _news(agent_request: AgentRequest, rows: list[RuntimeEvent], head: int) -> News:
    # A cancellation looks different to old clients, so each stream writes that frame itself.
    is_plain = all(row.event_type != EventKind.REQUEST_CANCELLED for row in rows)
    frames = (frame(row, agent_request, knows_cancelled=True, cursor=row.sequence) for row in rows)
    return News(
        request_id=agent_request.request_id,
        session=news.session_topic(
            workspace_pk=agent_request.workspace_id,
            agent_pk=agent_request.agent_id,
            session_id=agent_request.session_id,
        ),
        first=head - len(rows),
        head=head,
        is_end=bool(rows) and is_terminal_event(rows[-1]),
        boundary=last_boundary(rows),
        frames=b"".join(frames) if is_plain else b"",
    )


def _make_room(
    agent_request: AgentRequest, events: list[NewEvent], attempt: int | None, using: str
) -> tuple[list[NewEvent], int]:
    """The events that are not in the log yet, and the head before them; what they add is on the row by then."""
    if agent_request.attempt == 1:
        head = _raise_sequence(agent_request, len(events), attempt, using, adding=events)
        return events, head - len(events)
    first = _raise_sequence(agent_request, len(events), attempt, using) - len(events)
    fresh = _without_repeats(agent_request, events) if first > 0 else events
    if len(fresh) < len(events) or any(_sums(fresh)):
        _raise_sequence(agent_request, len(fresh) - len(events), attempt, using, adding=fresh)
    return fresh, first


def _priced(agent_request: AgentRequest, event: NewEvent) -> NewEvent:
    payload = meter.priced(agent_request, event.event_type, event.payload, event.created_at)
    return event if payload is event.payload else replace(event, payload=payload)


def _sums(events: Sequence[NewEvent]) -> tuple[str, list[Any]]:
    """What the events add to their request's row: as a piece of its UPDATE, and the values for it."""
    told = [(event.event_type, event.payload) for event in events]
    used, used_values = meter.request_sums(meter.used(told))
    counted, counted_values = tally(told).assignments()
    return used + counted, [*used_values, *map(storable, counted_values)]


def _raise_sequence(
    agent_request: AgentRequest,
    count: int,
    attempt: int | None,
    using: str,
    *,
    adding: Sequence[NewEvent] = (),
    only_unfinished: bool = False,
) -> int:
    """Adds `count` to the head and returns it, and to the row what the events say of use and progress.

    The row stays locked to the end of the transaction: no gaps, no twins.
    """
    sums, added = _sums(adding)
    fence, values = "", [count, *added, agent_request.pk]
    if only_unfinished:
        fence = f" AND status IN ({', '.join(repr(str(status)) for status in UNFINISHED)})"
    if attempt is not None:
        fence = " AND attempt = %s AND status = 'running'"
        values.append(attempt)
    statement = (
        f"UPDATE {_TABLE} SET last_sequence = last_sequence + %s{sums} WHERE id = %s{fence}"  # noqa: S608  constants only
        " RETURNING last_sequence, cancel_reason, cancelled_by"
    )
    with connections[using].cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    if row is None:
        raise StaleAttempt("Another worker has taken this request over, or it has ended.")
    head, cancel_reason, cancelled_by = row
    if attempt is not None and cancel_reason:
        about = {"reason": cancel_reason, "by": cancelled_by}
        raise RequestCancelled("The request was cancelled.", details=about)
    return int(head)


def _without_repeats(agent_request: AgentRequest, events: list[NewEvent]) -> list[NewEvent]:
    keys = [event.key for event in events if event.key]
    known = (
        set(agent_request.events.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True)) if keys else set()
    )
    return [event for event in events if event.key not in known]


def _row(agent_request: AgentRequest, sequence: int, event: NewEvent) -> RuntimeEvent:
    return RuntimeEvent(
        workspace_id=agent_request.workspace_id,
        agent_request=agent_request,
        sequence=sequence,
        agent_name=agent_request.agent.agent_id,
        session_id=agent_request.session_id,
        trace_id=event.trace_id or agent_request.trace_id,
        event_type=event.event_type,
        loop_index=event.loop_index,
        step_key=(event.key or "") if event.is_step else "",
        dedupe_key=event.key,
        payload=storable(event.payload),
        created_at=event.created_at,
    )


def storable(value: Any) -> Any:
    """The value as PostgreSQL can keep it: no NUL, no lone surrogates, no infinities, only JSON's own types."""
    text = json.dumps(value, default=str)
    if any(sign in text for sign in ("\\u0000", "\\ud", "NaN", "Infinity")):
        return _clean(json.loads(text, parse_constant=str))
    return json.loads(text)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value
