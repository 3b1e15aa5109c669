"""What the demo's agents remember, kept as `agents.memory.history` would keep it, to be written in one go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from agents.memory.history import NewTurn
from agents.memory.models import Session, Turn
from runtime.models import AgentRequest
from workspaces.models import Workspace


@dataclass(slots=True)
class Conversation:
    """A session and what is not written of it yet."""

    session: Session
    turns: list[NewTurn] = field(default_factory=list)
    """Since the latest summary, that one included."""

    @property
    def total_tokens(self) -> int:
        return self.session.total_tokens

    def shown(self, count: int) -> Sequence[NewTurn]:
        """What the model is shown of it."""
        led = self.turns[:1] if self.turns and self.turns[0].is_checkpoint else []
        return [*led, *self.turns[len(led) :][-count:]]


@dataclass(slots=True)
class Memory:
    workspace: Workspace
    conversations: dict[tuple[str, str], Conversation] = field(default_factory=dict)
    unwritten: list[tuple[Conversation, Turn]] = field(default_factory=list)

    def conversation(self, agent_id: str, session_id: str) -> Conversation | None:
        return self.conversations.get((agent_id, session_id))

    def shown_to(self, agent_request: AgentRequest, count: int) -> int:
        """How many earlier turns the request's model is shown."""
        known = self.conversation(agent_request.agent.agent_id, agent_request.session_id)
        return len(known.shown(count)) if known else 0

    def save(self, agent_id: str, session_id: str, turn: NewTurn) -> int:
        """The session's total tokens after the turn, as `save_turn` counts them."""
        known = self.conversations.get((agent_id, session_id))
        if known is None:
            session = Session(workspace=self.workspace, agent_id=agent_id, session_id=session_id)
            known = self.conversations[agent_id, session_id] = Conversation(session)
        session = known.session
        session.total_tokens = turn.tokens if turn.is_checkpoint else session.total_tokens + turn.tokens
        session.turn_count += 1
        session.last_activity_at = turn.created_at
        known.turns = [turn] if turn.is_checkpoint else [*known.turns, turn]
        self.unwritten.append((known, self._row(turn, session)))
        return session.total_tokens

    def forget(self, session_ids: Collection[str]) -> None:
        """Drops conversations that are over. What is not written of them yet will be."""
        for key in [key for key in self.conversations if key[1] in session_ids] if session_ids else ():
            del self.conversations[key]

    def _row(self, turn: NewTurn, session: Session) -> Turn:
        return Turn(
            turn_id=turn.turn_id,
            workspace=self.workspace,
            user=turn.user,
            user_message=turn.user_message,
            agent_response=turn.agent_response,
            signals=turn.signals,
            session_total_tokens=session.total_tokens,
            metadata=turn.metadata,
            created_at=turn.created_at,
        )
