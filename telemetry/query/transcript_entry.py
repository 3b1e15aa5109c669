"""What a session's transcript is made of: turns with the requests that made them, and requests that left no turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.memory.models import Session, Turn
from agents.models import Agent
from runtime.kinds import RequestKind
from runtime.models import AgentRequest, AgentRequestQuerySet
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The session that is looked at; it may hold no turn yet."""

    workspace: Workspace
    agent: Agent
    session_id: str
    session: Session | None

    @property
    def requests(self) -> AgentRequestQuerySet:
        return self.workspace.agent_requests.filter(agent=self.agent, session_id=self.session_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A turn, with the request that made it as far as that is known, or a request that has left no turn."""

    turn: Turn | None = None
    agent_request: AgentRequest | None = None
    children: Sequence[AgentRequest] = ()
    is_own: bool = True
    """Not so for a fork's copies, whose requests are those of the first session."""

    @property
    def is_aside(self) -> bool:
        """A summary that a turn began with, which has no request of its own."""
        return self.is_summary and (self.agent_request is None or self.agent_request.kind == RequestKind.TURN)

    @property
    def is_summary(self) -> bool:
        return self.turn is not None and self.turn.is_checkpoint

    @property
    def at(self) -> datetime:
        """When it was asked for: requests of a session run one after another, in the order in which they were accepted."""
        if self.turn and not (self.agent_request and self.is_own):
            return self.turn.created_at
        return self.agent_request.accepted_at  # type: ignore[union-attr]  # without a turn there is a request

    @property
    def element_id(self) -> str:
        """The same for a request that runs and for the turn that it becomes."""
        if self.turn and (self.is_aside or not self.is_own):
            return f"turn-{self.turn.pk}"
        return f"request-{self.agent_request.pk}"  # type: ignore[union-attr]  # without a turn there is a request

    @property
    def asked(self) -> Any:
        """Whose `question` is shown: both rows are read with one, cut, and with its length."""
        return self.turn or self.agent_request

    @property
    def attachments(self) -> list[dict[str, Any]]:
        if self.turn:
            return list(self.turn.metadata.get("attachments") or ())
        return list(self.agent_request.attachments) if self.agent_request else []

    @property
    def own_tokens(self) -> int:
        """What the turn itself has added to the session's total."""
        usage = self.turn.metadata.get("token_usage") or {} if self.turn else {}
        return int(usage.get("input") or 0) + int(usage.get("output") or 0)

    @property
    def tokens_before(self) -> int:
        return max(0, self.turn.session_total_tokens - self.own_tokens) if self.turn else 0

    @property
    def sort(self) -> float:
        """Milliseconds, by which the page's script finds an entry's place; a summary stands before its turn."""
        return self.at.timestamp() * 1000 - (0.5 if self.is_aside else 0)
