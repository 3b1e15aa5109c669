"""Replaces a session's earlier turns, as far as the model sees them, by a summary (contract 5.8).

The summary is in the log before it is stored as a turn. So a request that loses its worker in between stores what the log
says, and the model is asked, and paid, once.
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.build import RunnableAgent
from agents.llm.errors import CallStopped, LLMError
from agents.memory.history import CHECKPOINT, NewTurn, save_turn, session_tokens, turns_to_compact
from agents.memory.models import Turn
from agents.stop_signal import StopSignal
from runtime import events
from runtime.deadline import Deadline
from runtime.events import NewEvent
from runtime.journal import Journal, until_the_database_is_back
from runtime.kinds import EventKind, RequestKind
from runtime.models import AgentRequest, RuntimeEvent
from runtime.summarize import Summary, summarize, transcript_of
from runtime.usage.budget import check_budget

logger = logging.getLogger(__name__)

_DECIDED = (EventKind.COMPACTION_COMPLETED, EventKind.COMPACTION_FAILED, EventKind.CONTEXT_LOADED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """The summary and the turn that holds it; both empty when there was nothing to sum up."""

    summary_text: str = ""
    turn_id: str = ""


def compact_if_due(
    journal: Journal, runnable: RunnableAgent, *, deadline: Deadline, stop: StopSignal
) -> Compaction | None:
    """Before a turn's context is loaded: the compaction that it begins with, if any.

    Best effort: when the model fails, that is an event, and the turn goes on uncompacted.
    """
    earlier = _earlier(journal.agent_request)
    if earlier.is_decided:
        return earlier.compaction
    if not _is_due(journal.agent_request, runnable):
        return None
    try:
        found = _compact(journal, runnable, reason="auto", total=0, deadline=deadline, stop=stop)
    except CallStopped:
        raise
    except LLMError as error:
        logger.warning("A session could not be compacted: %s", error, extra={"action": "compaction.failed"})
        about = {"reason": "auto", "error": error.message, "error_code": error.code}
        journal.add(NewEvent(event_type=EventKind.COMPACTION_FAILED, key="compaction.failed", payload=about))
        return None
    return found if found.turn_id else None


def run_compaction(journal: Journal, runnable: RunnableAgent, *, deadline: Deadline, stop: StopSignal) -> Compaction:
    """The work of a request of kind `compaction`. Raises `LLMError` when the model cannot be made to answer."""
    earlier = _earlier(journal.agent_request)
    if earlier.compaction:
        return earlier.compaction
    asked = journal.agent_request.metadata
    started = {"message": journal.agent_request.message}
    journal.add(NewEvent(event_type=EventKind.TRACE_STARTED, key="request.started", payload=started))
    reason, total = str(asked.get("reason", "manual")), int(asked.get("session_total_tokens_reset", 0))
    return _compact(journal, runnable, reason=reason, total=total, deadline=deadline, stop=stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Earlier:
    """What an earlier attempt left in the log."""

    is_decided: bool = False
    """The context may have been loaded: it must stay as it was."""
    compaction: Compaction | None = None


def _earlier(agent_request: AgentRequest) -> _Earlier:
    if agent_request.attempt <= 1:
        return _Earlier()
    log = agent_request.events.filter(event_type__in=_DECIDED).order_by("sequence")
    compaction = None
    is_decided = False
    for event in log:
        is_decided = True
        if event.event_type == EventKind.COMPACTION_COMPLETED:
            compaction = _store(agent_request, event.payload, event)
    return _Earlier(is_decided=is_decided, compaction=compaction)


def _is_due(agent_request: AgentRequest, runnable: RunnableAgent) -> bool:
    threshold = runnable.definition.compaction_token_threshold
    if threshold <= 0:
        return False
    agent_id, session_id = agent_request.agent.agent_id, agent_request.session_id
    return session_tokens(agent_request.workspace, agent_id=agent_id, session_id=session_id) >= threshold


def _compact(
    journal: Journal, runnable: RunnableAgent, *, reason: str, total: int, deadline: Deadline, stop: StopSignal
) -> Compaction:
    agent_request, limit = journal.agent_request, runnable.definition.compaction_turn_limit
    turns = turns_to_compact(
        agent_request.workspace, agent_id=runnable.agent_id, session_id=agent_request.session_id, limit=limit
    )
    transcript = transcript_of(turns)
    if not transcript:
        return Compaction()
    turn_id = summary_turn_id(agent_request)
    check_budget(agent_request, runnable, journal.pending)
    summary = summarize(journal, runnable, transcript, trace_id=turn_id, deadline=deadline, stop=stop)
    payload = summary_payload(summary, turns, turn_id=turn_id, reason=reason, limit=limit, total=total)
    completed = NewEvent(
        event_type=EventKind.COMPACTION_COMPLETED, key="compaction.completed", payload=payload, trace_id=turn_id
    )
    journal.add(completed)
    journal.write()
    for attempt in until_the_database_is_back():
        with attempt:
            return _store(agent_request, payload, completed)
    raise AssertionError("Retrying ends by a return or a raise.")


def summary_payload(
    summary: Summary, turns: Sequence[Turn | NewTurn], *, turn_id: uuid.UUID, reason: str, limit: int, total: int
) -> dict[str, Any]:
    return {
        "reason": reason,
        "turn_id": str(turn_id),
        "summary_text": events.storable(summary.text),
        "turn_ids": [str(turn.turn_id) for turn in turns],
        "turn_limit": limit,
        "session_total_tokens": total,
        **summary.facts,
    }


def _store(agent_request: AgentRequest, payload: dict[str, Any], event: NewEvent | RuntimeEvent) -> Compaction:
    """Saves the summary as a turn, once, and lets the session's total start again."""
    agent_id = agent_request.agent.agent_id
    checkpoint = checkpoint_of(payload, agent_id=agent_id, created_at=event.created_at)
    save_turn(agent_request.workspace, agent_id=agent_id, session_id=agent_request.session_id, turn=checkpoint)
    return Compaction(summary_text=checkpoint.agent_response, turn_id=payload["turn_id"])


def checkpoint_of(payload: Mapping[str, Any], *, agent_id: str, created_at: datetime) -> NewTurn:
    """The turn that holds the summary of which `compaction.completed` tells."""
    return NewTurn(
        turn_id=uuid.UUID(payload["turn_id"]),
        user_message=f"[summary checkpoint:{payload['reason']}]",
        agent_response=str(payload["summary_text"]),
        signals={},
        tokens=payload["session_total_tokens"],
        metadata={
            "type": CHECKPOINT,
            "reason": payload["reason"],
            "turn_limit": payload["turn_limit"],
            "turn_ids": payload["turn_ids"],
            "app_id": agent_id,
            "token_usage": {"input": 0, "output": 0},
        },
        created_at=created_at,
    )


def summary_turn_id(agent_request: AgentRequest) -> uuid.UUID:
    """The same in every attempt. A request that is nothing but a compaction has a trace id to spare."""
    if agent_request.kind == RequestKind.COMPACTION and agent_request.trace_id:
        return agent_request.trace_id
    return uuid.uuid5(uuid.NAMESPACE_URL, f"mash.compaction:{agent_request.request_id}")
