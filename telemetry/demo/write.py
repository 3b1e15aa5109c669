"""Puts the demo's history into the real tables, many rows at a time and in the order of time.

The one place beside `runtime.events` that writes the log: it draws the ids itself, because events refer to each other.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.db import connections, models, router, transaction

from agents.memory.models import SearchEntry, Session, Turn
from agents.memory.place import memory_database
from agents.memory.search_index import search_entry
from runtime.kinds import EventKind
from runtime.models import AgentRequest, DailyUsage, Interaction, ResponseDraft, RuntimeEvent
from runtime.usage import meter
from runtime.usage.meter import DayKey
from runtime.usage.totals import METERED, Totals
from telemetry.demo.api_calls import calls_of
from telemetry.demo.bulk import insert
from telemetry.demo.memory import Memory
from telemetry.demo.take import Take, belong
from telemetry.models import ApiEvent
from workspaces.models import Workspace

_ROWS_AT_ONCE = 500
Row = TypeVar("Row")
Item = TypeVar("Item")


@dataclass(slots=True, kw_only=True)
class Written:
    requests: int = 0
    events: int = 0
    turns: int = 0


@dataclass(slots=True)
class Writer:
    memory: Memory
    written: Written = field(default_factory=Written)
    _requests: list[AgentRequest] = field(default_factory=list)
    _rows: list[RuntimeEvent] = field(default_factory=list)
    _interactions: list[Interaction] = field(default_factory=list)
    _drafts: list[ResponseDraft] = field(default_factory=list)
    _api_calls: list[ApiEvent] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        return len(self._rows)

    def add(self, take: Take) -> None:
        self._api_calls += calls_of(take)
        # Children first: what refers to them at the same moment comes after them.
        for member in reversed(list(take.family())):
            self._requests.append(member.close())
            self._rows += member.log
            self._interactions += member.interactions
            self._drafts += _drafts(member)

    def flush(self, until: datetime | None = None) -> None:
        """Writes what happened before that time, or everything."""
        requests, self._requests = _split(self._requests, lambda row: row.accepted_at, until)
        rows, self._rows = _split(self._rows, lambda row: row.created_at, until)
        asked, self._interactions = _split(self._interactions, lambda row: row.created_at, until)
        calls, self._api_calls = _split(self._api_calls, lambda row: row.created_at, until)
        drafts, self._drafts = ([], self._drafts) if until else (self._drafts, [])
        workspace = self.memory.workspace
        with transaction.atomic():
            _give_ids(AgentRequest, requests)
            for request in requests:
                # Said anew: these had no keys when the request was made.
                request.parent, request.rerun_of = request.parent, request.rerun_of
            insert(AgentRequest, requests)
            _give_ids(RuntimeEvent, rows)
            for row in rows:
                _refer(row)
            insert(RuntimeEvent, rows)
            workspace.interactions.bulk_create(asked, batch_size=_ROWS_AT_ONCE)
            workspace.response_drafts.bulk_create(drafts)
            _give_ids(ApiEvent, calls)
            insert(ApiEvent, calls)
            _count(rows)
        self.written.requests += len(requests)
        self.written.events += len(rows)
        self.written.turns += self._flush_memory(until)

    def _flush_memory(self, until: datetime | None) -> int:
        stored, self.memory.unwritten = _split(self.memory.unwritten, lambda pair: pair[1].created_at, until)
        sessions = list({id(known.session): known.session for known, _ in stored}.values())
        workspace = self.memory.workspace
        with transaction.atomic(using=memory_database()):
            new = [session for session in sessions if session._state.adding]
            workspace.sessions.bulk_create(new, batch_size=_ROWS_AT_ONCE)
            turns = [turn for _, turn in stored]
            for known, turn in stored:
                turn.session = known.session
            _give_ids(Turn, turns)
            insert(Turn, turns)
            insert(SearchEntry, [search_entry(turn.session, turn) for turn in turns])
            _update_sessions(workspace, sessions, turns)
        return len(turns)


def _split(rows: list[Row], moment: Callable[[Row], datetime], until: datetime | None) -> tuple[list[Row], list[Row]]:
    """In the order of time: those before it, and the others."""
    ordered = sorted(rows, key=moment)
    place = len(ordered) if until is None else bisect_left(ordered, until, key=moment)
    return ordered[:place], ordered[place:]


def _give_ids(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    for row, pk in zip(rows, _new_ids(model, len(rows)), strict=True):
        row.pk = pk


def _refer(row: RuntimeEvent) -> None:
    """To what had no key when the event was made."""
    belong(row, row.agent_request)
    if row.mirrored:
        row.payload["child_event_id"] = row.mirrored.pk


def _new_ids(model: type[models.Model], count: int) -> Iterable[int]:
    """Ids that nobody else gets, ascending. On PostgreSQL the transaction has its own id first, as `runtime.horizon` needs."""
    connection, table = connections[router.db_for_write(model)], model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            first = next((seq for (seq,) in cursor.fetchall()), 0) + 1
            return range(first, first + count)
        cursor.execute("SELECT pg_current_xact_id()")
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return sorted(pk for (pk,) in cursor.fetchall())


def _count(rows: Iterable[RuntimeEvent]) -> None:
    """Adds their model calls to the daily sums, as `meter.count` does for one request."""
    sums: dict[int, dict[DayKey, Totals]] = defaultdict(lambda: defaultdict(Totals))
    for row in rows:
        if row.event_type in METERED:
            key = meter.day_key(row, user=row.agent_request.user)
            sums[row.agent_request.pk % DailyUsage.SHARDS][key] += Totals.of_call(row.payload)
            workspace_pk = row.workspace_id
    for shard, by_key in sums.items():
        for keys in _batches(sorted(by_key), _ROWS_AT_ONCE):
            added = {key: by_key[key] for key in keys}
            meter.add(workspace_pk, added, shard=shard, using=router.db_for_write(DailyUsage))


def _batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[place : place + size] for place in range(0, len(items), size))


def _update_sessions(workspace: Workspace, sessions: Sequence[Session], turns: Iterable[Turn]) -> None:
    for turn in turns:
        if turn.is_checkpoint:
            turn.session.checkpoint = turn
    workspace.sessions.bulk_create(
        sessions,
        update_conflicts=True,
        unique_fields=["workspace", "agent_id", "session_id"],
        update_fields=["total_tokens", "turn_count", "last_activity_at", "checkpoint"],
        batch_size=_ROWS_AT_ONCE,
    )


def _drafts(take: Take) -> list[ResponseDraft]:
    """What a request that runs has said so far."""
    if not take.draft:
        return []
    asking = next(row for row in reversed(take.log) if row.event_type == EventKind.LLM_REQUEST_START)
    draft = ResponseDraft(
        workspace=take.request.workspace,
        agent_request=take.request,
        head=asking.sequence,
        attempt=1,
        loop_index=asking.loop_index or 0,
        text=take.draft,
    )
    return [draft]
