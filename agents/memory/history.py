"""Reads and writes the turns of a session (contract 5.7, 6.1)."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from agents.llm.types import LLMContentBlock, LLMMessage
from agents.memory.models import Session, Turn
from agents.memory.place import memory_database
from agents.memory.search_index import index_turns
from workspaces.models import Workspace
from workspaces.scoping import only

CHECKPOINT = "summary_checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTurn:
    turn_id: uuid.UUID
    user_message: str
    agent_response: str
    signals: dict[str, Any]
    metadata: dict[str, Any]
    created_at: datetime
    user: str = ""
    tokens: int = 0
    """Input and output tokens of this turn; of a checkpoint, what the session's total starts again from."""

    @property
    def is_checkpoint(self) -> bool:
        return bool(self.metadata.get("type") == CHECKPOINT)


def find_session(workspace: Workspace, *, agent_id: str, session_id: str) -> Session | None:
    return only(workspace.sessions.filter(agent_id=agent_id, session_id=session_id))


def session_tokens(workspace: Workspace, *, agent_id: str, session_id: str) -> int:
    """The session's running total; 0 for one that holds no turn yet."""
    session = find_session(workspace, agent_id=agent_id, session_id=session_id)
    return session.total_tokens if session else 0


def save_turn(workspace: Workspace, *, agent_id: str, session_id: str, turn: NewTurn) -> int:
    """Stores the turn once, however often it is saved, and returns the session's total tokens after it."""
    with transaction.atomic(using=memory_database(), savepoint=False):
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
            created = _create_turn(workspace, session, turn, total=turn.tokens)
            if turn.is_checkpoint:
                workspace.sessions.filter(pk=session.pk).update(checkpoint=created)
            return turn.tokens
        for saved in session.turns.filter(turn_id=turn.turn_id).values_list("session_total_tokens", flat=True):
            return saved
        total = turn.tokens if turn.is_checkpoint else session.total_tokens + turn.tokens
        created = _create_turn(workspace, session, turn, total=total)
        changes: dict[str, Any] = {"checkpoint": created} if turn.is_checkpoint else {}
        workspace.sessions.filter(pk=session.pk).update(
            total_tokens=total, turn_count=F("turn_count") + 1, last_activity_at=turn.created_at, **changes
        )
        return total


def discard_turn(workspace: Workspace, *, agent_id: str, session_id: str, turn_id: uuid.UUID) -> None:
    """Takes back the session's newest turn, whose request did not complete after all."""
    with transaction.atomic(using=memory_database()):
        session = find_session(workspace, agent_id=agent_id, session_id=session_id)
        if session is None or not session.turns.filter(turn_id=turn_id).delete()[0]:
            return
        newest = session.turns.order_by("-id").first()
        if newest is None:
            session.delete()
            return
        workspace.sessions.filter(pk=session.pk).update(
            total_tokens=newest.session_total_tokens,
            turn_count=F("turn_count") - 1,
            last_activity_at=newest.created_at,
        )


def _create_turn(workspace: Workspace, session: Session, turn: NewTurn, *, total: int) -> Turn:
    created = session.turns.create(
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
    index_turns(workspace, session, [created])
    return created


def recent_turns(workspace: Workspace, *, agent_id: str, session_id: str, count: int) -> list[Turn]:
    """The newest `count` turns, oldest first, led by the latest summary checkpoint if there is one (contract 5.7)."""
    session = find_session(workspace, agent_id=agent_id, session_id=session_id) if count > 0 else None
    if session is None:
        return []
    if session.checkpoint_id is None:
        return list(session.turns.order_by("-id")[:count])[::-1]
    after = session.turns.filter(pk__gt=session.checkpoint_id).order_by("-id")[:count]
    return [*session.turns.filter(pk=session.checkpoint_id), *list(after)[::-1]]


def turns_to_compact(workspace: Workspace, *, agent_id: str, session_id: str, limit: int) -> list[Turn]:
    """What a summary covers, oldest first: the latest checkpoint, if any, and the newest turns, `limit` in all."""
    session = find_session(workspace, agent_id=agent_id, session_id=session_id)
    if session is None:
        return []
    if session.checkpoint_id is None:
        return list(session.turns.order_by("-id")[:limit])[::-1]
    after = session.turns.filter(pk__gt=session.checkpoint_id).order_by("-id")[: limit - 1]
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
