"""Copies turns into a new session."""

import uuid
from itertools import islice
from typing import Any

from agents.memory.models import Session, Turn
from agents.memory.search_index import index_turns
from workspaces.models import Workspace

_AT_A_TIME = 200


def copy_turns(workspace: Workspace, origin: Session, *, last: Turn, session_id: str) -> Session:
    """A new session with everything up to `last`; each copy names the turn that it is of. Call it in a transaction."""
    fork = workspace.sessions.create(
        agent_id=origin.agent_id,
        session_id=session_id,
        total_tokens=last.session_total_tokens,
        last_activity_at=last.created_at,
    )
    turns = origin.turns.filter(pk__lte=last.pk).order_by("pk").iterator(chunk_size=_AT_A_TIME)
    new_ids: dict[str, str] = {}
    checkpoint: Turn | None = None
    while batch := list(islice(turns, _AT_A_TIME)):
        new_ids |= {str(turn.turn_id): str(uuid.uuid4()) for turn in batch}
        copies = workspace.turns.bulk_create(_copy(turn, fork, origin, new_ids) for turn in batch)
        index_turns(workspace, fork, copies)
        checkpoint = next((copy for copy in reversed(copies) if copy.is_checkpoint), checkpoint)
    fork.turn_count, fork.checkpoint = len(new_ids), checkpoint
    fork.save(update_fields=["turn_count", "checkpoint"])
    return fork


def _copy(turn: Turn, fork: Session, origin: Session, new_ids: dict[str, str]) -> Turn:
    return Turn(
        turn_id=uuid.UUID(new_ids[str(turn.turn_id)]),
        session=fork,
        workspace_id=turn.workspace_id,
        user=turn.user,
        user_message=turn.user_message,
        agent_response=turn.agent_response,
        signals=turn.signals,
        session_total_tokens=turn.session_total_tokens,
        metadata=_metadata(turn, origin, new_ids),
        created_at=turn.created_at,
    )


def _metadata(turn: Turn, origin: Session, new_ids: dict[str, str]) -> dict[str, Any]:
    """References to other turns lead to their copies."""
    copied = {**turn.metadata, "forked_from": {"session_id": origin.session_id, "turn_id": str(turn.turn_id)}}
    if summary := copied.get("compaction_summary_turn_id"):
        copied["compaction_summary_turn_id"] = new_ids.get(summary, summary)
    if turn.is_checkpoint:
        copied["turn_ids"] = [new_ids.get(turn_id, turn_id) for turn_id in copied.get("turn_ids", ())]
    return copied
