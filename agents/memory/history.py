"""Reads and writes the turns of a session (contract 5.7, 6.1)."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from agents.llm.types import LLMContentBlock, LLMMessage
from agents.memory.models import Session, Turn
from workspaces.models import Workspace


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
    return workspace.sessions.filter(agent_id=agent_id, session_id=session_id).first()


def session_tokens(workspace: Workspace, *, agent_id: str, session_id: str) -> int:
    """The session's running total; 0 for one that holds no turn yet."""
    found = workspace.sessions.filter(agent_id=agent_id, session_id=session_id).values_list("total_tokens", flat=True)
    return found.first() or 0


def save_turn(workspace: Workspace, *, agent_id: str, session_id: str, turn: NewTurn) -> int:
    """Stores the turn once, however often it is saved, and returns the session's total tokens after it."""
    saved = workspace.turns.filter(turn_id=turn.turn_id).values_list("session_total_tokens", flat=True).first()
    if saved is not None:
        return saved
    session, _ = workspace.sessions.get_or_create(
        agent_id=agent_id, session_id=session_id, defaults={"last_activity_at": turn.created_at}
    )
    total = session.total_tokens + turn.tokens
    workspace.turns.create(
        turn_id=turn.turn_id,
        session=session,
        user=turn.user,
        user_message=turn.user_message,
        agent_response=turn.agent_response,
        signals=turn.signals,
        session_total_tokens=total,
        metadata=turn.metadata,
        created_at=turn.created_at,
    )
    # The session's slot is held by one request at a time, so its total does not move under us.
    workspace.sessions.filter(pk=session.pk).update(
        total_tokens=total, turn_count=F("turn_count") + 1, last_activity_at=turn.created_at
    )
    return total


def recent_turns(workspace: Workspace, *, agent_id: str, session_id: str, count: int) -> list[Turn]:
    """The newest `count` turns, oldest first, led by the latest summary checkpoint if there is one."""
    if count <= 0:
        return []
    turns = workspace.turns.filter(session__agent_id=agent_id, session__session_id=session_id)
    checkpoint = turns.filter(metadata__type="summary_checkpoint").order_by("-id").first()
    if checkpoint is None:
        return list(turns.order_by("-id")[:count])[::-1]
    return [checkpoint, *list(turns.filter(pk__gt=checkpoint.pk).order_by("-id")[:count])[::-1]]


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
