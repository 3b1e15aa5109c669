"""Which sessions: from the parameters of an address to rows, the same for the list and its stream.

Memory may live in another database than requests, so what requests say of sessions is asked for apart, and matched here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import CharField, Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Left

from agents.memory.models import Session
from telemetry.query.ranges import TimeRange, read_range
from workspaces.models import Workspace

DEFAULT_RANGE = "7d"
PREVIEW = 200
Pair = tuple[str, str]
"""An agent's id and a session's: what both databases know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    span: TimeRange
    agent: str = ""
    user: str = ""
    text: str = ""
    """A part of the session's id."""
    faults: tuple[str, ...] = ()
    """What was asked for and cannot be found out: said, never dropped in silence."""

    @property
    def is_narrow(self) -> bool:
        return bool(self.agent or self.user or self.text or self.span.preset != DEFAULT_RANGE)

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
        return rows

    def admits(self, agent_id: str, session_id: str) -> bool:
        """Whether a session that holds no turn yet is meant; nobody is known as its user."""
        return self.agent in ("", agent_id) and self.text.lower() in session_id.lower() and not self.user


def read_session_filter(parameters: Mapping[str, str]) -> SessionFilter:
    span, faults = read_range(parameters, default=DEFAULT_RANGE)
    agent, user, text = (_storable(parameters.get(name, "")) for name in ("agent", "user", "q"))
    return SessionFilter(span=span, agent=agent, user=user, text=text, faults=tuple(faults))


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
