"""Which sessions: from the parameters of an address to rows, the same for the list and its stream.

Memory may live in another database than requests, so what requests say of sessions is asked for apart, and matched here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Left

from agents.memory.models import Session
from runtime.kinds import UNFINISHED, Status
from telemetry.query.ranges import TimeRange, read_range
from workspaces.models import Workspace

DEFAULT_RANGE = "7d"
PREVIEW = 200
Pair = tuple[str, str]
"""An agent's id and a session's: what both databases know."""
HAS: Mapping[str, Q] = {
    "running": Q(status__in=UNFINISHED),
    "error": Q(status=Status.FAILED),
    "tool_error": Q(tool_errors__gt=0),
    "interaction": Q(status=Status.PAUSED),
}
"""What a session's requests may have, as `has` names it."""
MOST_REQUESTS = 2000
"""The newest ones among which `has` looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    span: TimeRange
    agent: str = ""
    user: str = ""
    text: str = ""
    """A part of the session's id."""
    turns: int = 0
    """It has so many at least."""
    has: str = ""
    faults: tuple[str, ...] = ()
    """What was asked for and cannot be found out: said, never dropped in silence."""

    @property
    def is_narrow(self) -> bool:
        asked = (self.agent, self.user, self.text, self.turns, self.has)
        return any(asked) or self.span.preset != DEFAULT_RANGE

    def apply(self, workspace: Workspace) -> "QuerySet[Session]":
        rows = workspace.sessions.all()
        if self.span.since:
            rows = rows.filter(last_activity_at__gte=self.span.since)
        if self.span.until:
            rows = rows.filter(last_activity_at__lt=self.span.until)
        if self.agent:
            rows = rows.filter(agent_id=self.agent)
        if self.text:
            rows = rows.filter(session_id__icontains=self.text)
        if self.user:
            rows = rows.filter(Exists(workspace.turns.filter(session=OuterRef("pk"), user=self.user)))
        if self.turns:
            rows = rows.filter(turn_count__gte=self.turns)
        if self.has:
            rows = rows.filter(_any_of(self._sessions_that_have(workspace)))
        return rows

    def admits(self, agent_id: str, session_id: str) -> bool:
        """Whether a session that holds no turn is meant; nobody is known as its user."""
        if self.user or self.turns or self.has:
            return False
        return self.agent in ("", agent_id) and self.text.lower() in session_id.lower()

    def _sessions_that_have(self, workspace: Workspace) -> Iterable[Pair]:
        requests = workspace.agent_requests.filter(HAS[self.has])
        if self.span.since:
            requests = requests.filter(accepted_at__gte=self.span.since)
        return requests.order_by("-pk").values_list("agent__agent_id", "session_id")[:MOST_REQUESTS]


def read_session_filter(parameters: Mapping[str, str]) -> SessionFilter:
    span, faults = read_range(parameters, default=DEFAULT_RANGE)
    agent, user, text = (_storable(parameters.get(name, "")) for name in ("agent", "user", "q"))
    turns, has = parameters.get("turns", ""), parameters.get("has", "")
    if turns and not (turns.isascii() and turns.isdigit() and len(turns) < 10):
        faults.append(f"turns: {turns[:40]} is no number of turns.")
        turns = ""
    if has and has not in HAS:
        faults.append(f"has: {has[:40]} is unknown; choose {', '.join(HAS)}.")
        has = ""
    return SessionFilter(
        span=span, agent=agent, user=user, text=text, turns=int(turns or 0), has=has, faults=tuple(faults)
    )


def _any_of(pairs: Iterable[Pair]) -> Q:
    """Sessions of these agents with these ids; none if there are no pairs."""
    by_agent = defaultdict[str, set[str]](set)
    for agent_id, session_id in pairs:
        by_agent[agent_id].add(session_id)
    meant = Q(pk__in=[])
    for agent_id, session_ids in by_agent.items():
        meant |= Q(agent_id=agent_id, session_id__in=session_ids)
    return meant


def for_list(workspace: Workspace, rows: "QuerySet[Session]") -> "QuerySet[Session]":
    """With how each began and who spoke last; long texts are cut by the database."""
    turns = workspace.turns.filter(session=OuterRef("pk"))
    nothing = Value("", output_field=CharField())
    first = turns.order_by("id").values(text=Left("user_message", PREVIEW))[:1]
    user = turns.exclude(user="").order_by("-id").values("user")[:1]
    return rows.annotate(
        preview=Coalesce(Subquery(first), nothing, output_field=CharField()),
        user=Coalesce(Subquery(user), nothing, output_field=CharField()),
    )


def pairs_of(sessions: Iterable[Session]) -> list[Pair]:
    return [(session.agent_id, session.session_id) for session in sessions]


def _storable(text: str) -> str:
    """No stored text has a NUL, which PostgreSQL would refuse to look for."""
    return text.strip().replace("\x00", "\ufffd")
