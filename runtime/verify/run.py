"""Goes through a deployment in batches and compares everything with the log; safe beside a running system.

A first look takes no locks. What seems to differ is looked at again under the row's lock, which every writer of its log
needs, so that what is said to differ really does, also of requests that are running.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import TypeVar
from uuid import UUID

from django.db import models, router, transaction

from runtime.models import AgentRequest, RuntimeEvent, log_of
from runtime.verify.company import Company, compare_company
from runtime.verify.difference import Difference
from runtime.verify.facts import Facts, facts_of
from runtime.verify.requests import compare
from runtime.verify.sessions import check_session
from runtime.verify.usage import add_missing, compare_daily
from workspaces.models import Workspace

BATCH = 200
_EVENTS_AT_A_TIME = 500
Row = TypeVar("Row", bound=models.Model)


def _nobody(_counts: "Counts") -> None:
    return None


@dataclass(slots=True)
class Counts:
    requests: int = 0
    unfinished: int = 0
    events: int = 0
    sessions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What to look at, and whether to set right what can be."""

    since: datetime | None = None
    request_id: UUID | None = None
    is_repairing: bool = False
    progress: Callable[[Counts], None] = _nobody
    """Told after each batch."""
    counts: Counts = field(default_factory=Counts)

    def differences(self, workspace: Workspace) -> Iterator[Difference]:
        for batch in _batches(self._requests(workspace)):
            yield from self._check_requests(workspace, batch)
            self.progress(self.counts)
        if self.request_id is not None:
            return
        yield from self._check_sessions(workspace)
        yield from self._check_usage(workspace)

    def _requests(self, workspace: Workspace) -> "models.QuerySet[AgentRequest]":
        rows = workspace.agent_requests.all()
        if self.request_id is not None:
            rows = rows.filter(request_id=self.request_id)
        return rows if self.since is None else rows.filter(accepted_at__gte=self.since)

    def _check_requests(self, workspace: Workspace, rows: Sequence[AgentRequest]) -> Iterator[Difference]:
        suspects = [pk for pk, found in self._compare(workspace, rows, is_counted=True) if found]
        for pk in suspects:
            with transaction.atomic(using=router.db_for_write(AgentRequest)):
                locked = list(workspace.agent_requests.select_for_update(no_key=True).filter(pk=pk))
                found = [difference for _, some in self._compare(workspace, locked) for difference in some]
                changes = {name: value for difference in found for name, value in difference.repair.items()}
                if self.is_repairing and changes:
                    workspace.agent_requests.filter(pk=pk).update(**changes)
            yield from found

    def _compare(
        self, workspace: Workspace, rows: Sequence[AgentRequest], *, is_counted: bool = False
    ) -> Iterator[tuple[int, list[Difference]]]:
        """The differences of each of these requests, by its key."""
        by_pk = {row.pk: row for row in rows}
        log = log_of(workspace.agent_requests.filter(pk__in=list(by_pk))).order_by("agent_request_id", "sequence")
        facts_by_pk = {
            pk: facts_of(events)
            for pk, events in groupby(
                log.iterator(chunk_size=_EVENTS_AT_A_TIME), key=lambda event: event.agent_request_id
            )
        }
        company = Company.of(workspace, rows, {trace for facts in facts_by_pk.values() for trace in facts.trace_ids})
        for pk, row in by_pk.items():
            facts = facts_by_pk.get(pk) or facts_of(_NOTHING)
            if is_counted:
                self._count(row, facts)
            yield pk, [*compare(row, facts), *compare_company(row, facts, company)]

    def _count(self, row: AgentRequest, facts: Facts) -> None:
        self.counts.requests += 1
        self.counts.unfinished += not row.is_terminal
        self.counts.events += facts.last_sequence

    def _check_sessions(self, workspace: Workspace) -> Iterator[Difference]:
        rows = workspace.sessions.all()
        if self.since is not None:
            rows = rows.filter(last_activity_at__gte=self.since)
        for batch in _batches(rows):
            for session in batch:
                self.counts.sessions += 1
                yield from check_session(workspace, session, is_repairing=self.is_repairing)
            self.progress(self.counts)

    def _check_usage(self, workspace: Workspace) -> Iterator[Difference]:
        since = self.since.astimezone(UTC).date() if self.since else None
        for difference, key, missing in compare_daily(workspace, since=since):
            if self.is_repairing:
                add_missing(workspace, key, missing)
            yield difference


_NOTHING: Iterable[RuntimeEvent] = ()


def _batches(rows: "models.QuerySet[Row]") -> Iterator[list[Row]]:
    """By key, so that however many there are, each batch is found at once and nothing stays open in between."""
    last = 0
    while batch := list(islice(rows.filter(pk__gt=last).order_by("pk")[:BATCH], BATCH)):
        yield batch
        last = batch[-1].pk
