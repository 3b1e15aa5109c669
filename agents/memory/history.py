"""Reads and writes the turns of a session (contract 5.7, 6.1)."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from agents.llm.types import LLMContentBlock, LLMMessage
from agents.memory.models import Session, Turn
from workspaces.models import Workspace
from workspaces.scoping import only


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTurn:
    turn_id: uuid.UUID
    user: str
    user_message: str
    agent_response: str
    signals: dict[str, Any]
    tokens: int
    """Input and output tokens of this turn."""
    metadata: dict[str, Any]
    created_at: datetime


def find_session(workspace: Workspace, *, agent_id: str, session_id: str) -> Session | None:
    return only(workspace.sessions.filter(agent_id=agent_id, session_id=session_id))


def session_tokens(workspace: Workspace, *, agent_id: str, session_id: str) -> int:
    """The session's running total; 0 for one that holds no turn yet."""
    session = find_session(workspace, agent_id=agent_id, session_id=session_id)
    return session.total_tokens if session else 0


def save_turn(workspace: Workspace, *, agent_id: str, session_id: str, turn: NewTurn) -> int:
    """Stores the turn once, however often it is saved, and returns the session's total tokens after it."""
    session = find_session(workspace, agent_id=agent_id, session_id=session_id)
    if session is None:
        # The session's slot is held by one request at a time, so nobody else makes it or moves its total meanwhile.
        session = workspace.sessions.create(
            agent_id=agent_id,
            session_id=session_id,
            total_tokens=turn.tokens,
            turn_count=1,
            last_activity_at=turn.created_at,
        )
        _create_turn(session, turn, total=turn.tokens)
        return turn.tokens
    for saved in session.turns.filter(turn_id=turn.turn_id).values_list("session_total_tokens", flat=True):
        return saved
    total = session.total_tokens + turn.tokens
    _create_turn(session, turn, total=total)
    workspace.sessions.filter(pk=session.pk).update(
        total_tokens=total, turn_count=F("turn_count") + 1, last_activity_at=turn.created_at
    )
    return total


def _create_turn(session: Session, turn: NewTurn, *, total: int) -> None:
    session.turns.create(
        turn_id=turn.turn_id,
        workspace_id=session.workspace_id,
        user=turn.user,
        user_message=turn.user_message,
        agent_response=turn.agent_response,
        signals=turn.signals,
        session_total_tokens=total,
        metadata=turn.metadata,
        created_at=turn.created_at,
    )


def recent_turns(workspace: Workspace, *, agent_id: str, session_id: str, count: int) -> list[Turn]:
    """The newest `count` turns, oldest first, led by the latest summary checkpoint if there is one (contract 5.7)."""
    session = find_session(workspace, agent_id=agent_id, session_id=session_id) if count > 0 else None
    if session is None:
        return []
    if session.checkpoint_id is None:
        return list(session.turns.order_by("-id")[:count])[::-1]
    after = session.turns.filter(pk__gt=session.checkpoint_id).order_by("-id")[:count]
    return [*session.turns.filter(pk=session.checkpoint_id), *list(after)[::-1]]


def as_messages(turns: list[Turn]) -> list[LLMMessage]:
    """Earlier turns as the model sees them; a checkpoint is told as a note of the user's side."""
    messages: list[LLMMessage] = []
    for turn in turns:
        about = {"source": "history", "turn_id": str(turn.turn_id)}
        if turn.is_checkpoint:
            note = f"Summary of the conversation so far:\n{turn.agent_response}"
            messages.append(LLMMessage(role="user", content=[LLMContentBlock.text(note)], metadata=about))
            continue
        if turn.user_message:
            messages.append(LLMMessage(role="user", content=[LLMContentBlock.text(turn.user_message)], metadata=about))
        if turn.agent_response:
            answer = [LLMContentBlock.text(turn.agent_response)]
            messages.append(LLMMessage(role="assistant", content=answer, metadata=about))
    return messages
