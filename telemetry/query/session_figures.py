"""What the requests of sessions say about them: running or not, failures and cost, in one statement for a whole page."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from runtime.kinds import QUEUED, Status
from runtime.models import AgentRequest
from telemetry.query.ranges import TimeRange
from telemetry.query.sessions import Pair
from workspaces.models import Workspace

MOST_TURNLESS = 20
_MOST_FALLEN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Sums over a session's requests, those of its subagents not among them."""

    requests: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    stalled: int = 0
    running: int = 0
    paused: int = 0
    queued: int = 0
    unpriced: int = 0
    """Requests with calls whose price is not known."""
    cost_usd: Decimal = Decimal(0)
    newest_event: int = 0
    """Of the whole workspace, at the moment of reading."""

    @property
    def shown_status(self) -> str:
        """Of its unfinished requests the one that matters most; empty for a session that rests."""
        if self.running:
            return "stalled" if self.stalled == self.running else "running"
        return "paused" if self.paused else "waiting" if self.queued else ""

    @property
    def status_hint(self) -> str:
        told = [(self.running, "running"), (self.paused, "paused"), (self.queued, "waiting")]
        return ", ".join(f"{count} {word}" for count, word in told if count)


def figures_of(
    workspace: Workspace, pairs: Collection[Pair], *, turnless_in: TimeRange | None = None
) -> dict[Pair, Figures]:
    """By agent and session; with a span of time also sessions that hold no turn: the first is under way, or fell in it.

    Both in one statement, as a page has few to spend.
    """
    requests = workspace.agent_requests
    meant = (
        requests.filter(session_id__in={session_id for _, session_id in pairs}).order_by().values_list("pk", flat=True)
    )
    if turnless_in:
        # A union, as with an OR databases would look at every request.
        meant = meant.union(
            _turnless(workspace, _unfinished(workspace)), _turnless(workspace, _fallen(workspace, turnless_in))
        )
    rows = requests.filter(pk__in=meant).order_by().values_list("agent__agent_id", "session_id")
    found = {
        (agent_id, session_id): Figures(**dict(zip(_COLUMNS, sums, strict=True)))
        for agent_id, session_id, *sums in rows.annotate(**_sums(), newest_event=_newest_event(workspace))
    }
    wanted = set(pairs)
    return {
        pair: figures for pair, figures in found.items() if pair in wanted or (turnless_in and not figures.completed)
    }


def _newest_event(workspace: Workspace) -> Subquery:
    """What a page's stream begins after; a statement of its own would be one too many."""
    return Subquery(workspace.events.order_by("-id").values("id")[:1])


def _unfinished(workspace: Workspace) -> "QuerySet[AgentRequest]":
    # Not by the key itself: led by the order, SQLite would walk through the finished ones.
    return workspace.agent_requests.unfinished().order_by((F("pk") + 0).desc())


def _fallen(workspace: Workspace, span: TimeRange) -> "QuerySet[AgentRequest]":
    """The newest that failed or were cancelled."""
    since, until = span.ends
    rows = workspace.agent_requests.fallen().filter(accepted_at__gte=since, accepted_at__lt=until)
    return workspace.agent_requests.filter(pk__in=rows.order_by("-accepted_at").values("pk")[:_MOST_FALLEN])


def _turnless(workspace: Workspace, rows: "QuerySet[AgentRequest]") -> "QuerySet[AgentRequest, int]":
    """Keys of those among them in sessions that have completed none; their number is bounded, as a queue may be long."""
    same_session = {"agent": OuterRef("agent"), "session_id": OuterRef("session_id")}
    completed = workspace.agent_requests.filter(**same_session, status=Status.COMPLETED)
    found = rows.filter(~Exists(completed)).values("pk")[:MOST_TURNLESS]
    # SQLite takes no limit within a union.
    return workspace.agent_requests.filter(pk__in=found).order_by().values_list("pk", flat=True)


def _sums() -> dict[str, Any]:
    of = {
        "completed": Q(status=Status.COMPLETED),
        "failed": Q(status=Status.FAILED),
        "cancelled": Q(status=Status.CANCELLED),
        "stalled": Q(status=Status.RUNNING, lease_expires_at__lt=timezone.now()),
        "running": Q(status=Status.RUNNING),
        "paused": Q(status=Status.PAUSED),
        "queued": Q(status__in=QUEUED),
        "unpriced": Q(has_unknown_price=True),
    }
    counts: dict[str, Any] = {name: Count("pk", filter=which) for name, which in of.items()}
    every = {"requests": Count("pk"), "cost_usd": Sum("cost_usd")}
    return {**counts, **every}


_COLUMNS = (*_sums(), "newest_event")
