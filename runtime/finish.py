"""Ends a request: turn, terminal event, final state and the wake-up of whoever waits, in one transaction."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from agents.memory.history import NewTurn, discard_turn, save_turn, session_tokens
from agents.memory.place import is_apart
from agents.signals import persisted_only
from runtime import events, queue
from runtime.compact import Compaction
from runtime.errors import RequestCancelled, StaleAttempt
from runtime.events import NewEvent
from runtime.kinds import EventKind, Reason, Status, WaitReason
from runtime.models import AgentRequest, AgentRequestQuerySet, Interaction
from runtime.tally import PREVIEW_CHARACTERS

_KEYS = {
    Status.COMPLETED: (EventKind.REQUEST_COMPLETED, "request.completed"),
    Status.FAILED: (EventKind.REQUEST_FAILED, "request.failed"),
    Status.CANCELLED: (EventKind.REQUEST_CANCELLED, "request.cancelled"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a completed turn leaves behind."""

    text: str
    signals: dict[str, Any]
    input_tokens: int
    output_tokens: int
    stop_reason: str = ""
    """`max_steps` when the limit ended it."""
    structured_output: Any = None
    """The answer as JSON, where the request asked for that."""
    compaction: Compaction | None = None
    """The summary that was made before the turn."""


def complete(agent_request: AgentRequest, pending: list[NewEvent], outcome: Outcome) -> None:
    """Stores the turn and completes the request; `pending` are events that have happened and are not written yet.

    Where memory has a database of its own the turn is stored first, so that a crash in between repeats only that.
    """
    metadata = turn_metadata(agent_request, outcome)
    total = _save_turn(agent_request, outcome, metadata) if is_apart() else 0
    try:
        with transaction.atomic():
            _end(agent_request, Status.COMPLETED, outcome.stop_reason or Reason.END_TURN)
            total = total if is_apart() else _save_turn(agent_request, outcome, metadata)
            body = completed_body(agent_request, outcome, metadata, total)
            _append_end(agent_request, [*pending, *stored_events(outcome, body)], Status.COMPLETED, body)
    except RequestCancelled:
        if is_apart():
            _discard_turn(agent_request)
        raise


def complete_compaction(agent_request: AgentRequest, pending: list[NewEvent], compaction: Compaction) -> None:
    """Completes a request that was nothing but a compaction; its turn is the summary."""
    with transaction.atomic():
        _end(agent_request, Status.COMPLETED, Reason.END_TURN)
        agent_id, session_id = agent_request.agent.agent_id, agent_request.session_id
        total = session_tokens(agent_request.workspace, agent_id=agent_id, session_id=session_id)
        usage = {"input": agent_request.input_tokens, "output": agent_request.output_tokens}
        metadata = {
            "trace_id": str(agent_request.trace_id),
            "token_usage": usage,
            **_summary_keys(compaction if compaction.turn_id else None),
        }
        outcome = Outcome(text=compaction.summary_text, signals={}, input_tokens=0, output_tokens=0)
        body = completed_body(agent_request, outcome, metadata, total)
        _append_end(agent_request, pending, Status.COMPLETED, body)


def complete_run(
    agent_request: AgentRequest, pending: list[NewEvent], output: dict[str, Any], save: Callable[[], None]
) -> None:
    """Completes a run of a workflow, and in the same transaction whatever `save` keeps of it; it leaves no turn."""
    with transaction.atomic():
        _end(agent_request, Status.COMPLETED, Reason.END_TURN)
        save()
        text = json.dumps(output.get("output"), ensure_ascii=False)[:PREVIEW_CHARACTERS]
        body = {"trace_id": str(agent_request.trace_id), "response": {"text": text, **output}}
        _append_end(agent_request, pending, Status.COMPLETED, body)


def fail(agent_request: AgentRequest, pending: list[NewEvent], *, reason: Reason, error: dict[str, Any]) -> None:
    """Ends the request in error. `error` has `error`, `error_type`, `error_code` and `retryable`; no turn is stored."""
    with transaction.atomic():
        _end(agent_request, Status.FAILED, reason, error=error)
        _close_interactions(agent_request)
        _append_end(agent_request, pending, Status.FAILED, {**error, "reason": reason})


def cancel(agent_request: AgentRequest, pending: list[NewEvent], *, reason: str, by: str) -> None:
    """Ends the request as cancelled; a queued or parked one at once, a running one by its own worker."""
    with transaction.atomic():
        _end(agent_request, Status.CANCELLED, reason, by=by)
        _close_interactions(agent_request)
        _append_end(agent_request, pending, Status.CANCELLED, {"reason": reason, "by": by})


def fail_lost(agent_request: AgentRequest) -> None:
    """Gives up on a request whose workers vanish again and again."""
    error = {
        "error": "The request lost its worker three times without making progress.",
        "error_type": "WorkerLost",
        "error_code": "worker_lost",
        "retryable": True,
    }
    fail(agent_request, [], reason=Reason.WORKER_LOST, error=error)


def _end(
    agent_request: AgentRequest,
    to: Status,
    reason: str,
    *,
    error: dict[str, Any] | None = None,
    by: str = "",
) -> None:
    """The fence: only the attempt that the row still has may end the request."""
    changes: dict[str, Any] = {"reason": reason, "finished_at": timezone.now(), "lease_owner": "", "error": error}
    changes |= {"cancelled_by": by, "pause_reason": "", "is_due": False, "wakes_at": None}
    rows = agent_request.workspace.agent_requests.filter(pk=agent_request.pk, attempt=agent_request.attempt)
    welcome = rows.filter(cancel_reason="") if to == Status.COMPLETED else rows
    if not welcome.move(to, **changes):
        if asked := rows.running().exclude(cancel_reason="").values("cancel_reason", "cancelled_by").first():
            about = {"reason": asked["cancel_reason"], "by": asked["cancelled_by"]}
            raise RequestCancelled("The request was cancelled.", details=about)
        raise StaleAttempt("Another worker has taken this request over, or it has ended.")
    for name, value in changes.items():
        setattr(agent_request, name, value)


def _append_end(agent_request: AgentRequest, pending: list[NewEvent], status: Status, body: dict[str, Any]) -> None:
    events.append(agent_request, [*pending, end_event(agent_request, status, body)])
    _wake_parent(agent_request)
    _wake_next(agent_request)


def end_event(agent_request: AgentRequest, status: Status, body: dict[str, Any]) -> NewEvent:
    kind, key = _KEYS[status]
    # Each run has an end of its own.
    key = key if agent_request.run == 1 else f"{key}.{agent_request.run}"
    return NewEvent(event_type=kind, key=key, payload=body)


def _close_interactions(agent_request: AgentRequest) -> None:
    agent_request.interactions.filter(state=Interaction.State.OPEN).update(state=Interaction.State.CANCELLED)


def _wake_parent(agent_request: AgentRequest) -> None:
    """Marks the parent whatever its state: should it be about to park, it waits for this lock and then looks again."""
    if agent_request.parent is None:
        return
    rows = agent_request.workspace.agent_requests.filter(pk=agent_request.parent.pk)
    if rows.unfinished().update(is_due=True):
        queue.enqueue(agent_request.parent)


def _save_turn(agent_request: AgentRequest, outcome: Outcome, metadata: dict[str, Any]) -> int:
    assert agent_request.trace_id  # noqa: S101  a claimed request
    return save_turn(
        agent_request.workspace,
        agent_id=agent_request.agent.agent_id,
        session_id=agent_request.session_id,
        turn=NewTurn(
            turn_id=agent_request.trace_id,
            user=agent_request.user,
            user_message=agent_request.message,
            agent_response=events.storable(outcome.text),
            signals=persisted_only(outcome.signals),
            tokens=outcome.input_tokens + outcome.output_tokens,
            metadata=metadata,
            created_at=agent_request.finished_at or timezone.now(),
        ),
    )


def _discard_turn(agent_request: AgentRequest) -> None:
    """The turn was stored, and then somebody was quicker to cancel."""
    assert agent_request.trace_id  # noqa: S101  a claimed request
    discard_turn(
        agent_request.workspace,
        agent_id=agent_request.agent.agent_id,
        session_id=agent_request.session_id,
        turn_id=agent_request.trace_id,
    )


def delegation_metadata(agent_request: AgentRequest, parent: AgentRequest) -> dict[str, Any]:
    """The four keys that tell a delegated request from others (contract 3.6)."""
    return {
        "primary_session_id": parent.session_id,
        "primary_app_id": parent.agent.agent_id,
        "subagent_id": agent_request.agent.agent_id,
        "subagent_invoke_opts": agent_request.invoke_options or {},
    }


def turn_metadata(agent_request: AgentRequest, outcome: Outcome) -> dict[str, Any]:
    """What the turn and the answer say of where they come from."""
    metadata: dict[str, Any] = {
        "trace_id": str(agent_request.trace_id),
        "token_usage": {"input": outcome.input_tokens, "output": outcome.output_tokens},
        **_summary_keys(outcome.compaction),
    }
    if outcome.stop_reason:
        metadata["stop_reason"] = outcome.stop_reason
    if agent_request.attachments:
        metadata["attachments"] = agent_request.attachments
    if agent_request.parent is not None:
        metadata |= delegation_metadata(agent_request, agent_request.parent)
    return metadata


def stored_events(outcome: Outcome, body: dict[str, Any]) -> list[NewEvent]:
    """What the log says between the last step and the end."""
    return [
        NewEvent(event_type=EventKind.TURN_PERSISTED, key="turn.persisted", payload=body),
        NewEvent(event_type=EventKind.AGENT_RUN_COMPLETE, payload={"assistant_response": outcome.text}),
    ]


def completed_body(
    agent_request: AgentRequest, outcome: Outcome, metadata: dict[str, Any], total: int
) -> dict[str, Any]:
    """The payload of `request.completed` beyond the four common keys (contract 2.4)."""
    response = {"text": outcome.text, "signals": outcome.signals, "metadata": metadata}
    if agent_request.structured_output is not None:
        response["structured_output"] = outcome.structured_output
    return {
        "trace_id": str(agent_request.trace_id),
        "turn_id": str(agent_request.trace_id),
        "response": response,
        "session_total_tokens": total,
        "signals": outcome.signals,
        "response_metadata": metadata,
        **{name: metadata[name] for name in _summary_keys(None)},
    }


def _summary_keys(compaction: Compaction | None) -> dict[str, str | None]:
    return {
        "compaction_summary_text": compaction.summary_text if compaction else None,
        "compaction_summary_turn_id": compaction.turn_id if compaction else None,
    }


def _wake_next(agent_request: AgentRequest) -> None:
    """Wakes the next request of the session and, where slots are limited, who waits for the one that is free now."""
    queued = agent_request.workspace.agent_requests.queued()
    for successor in queued.in_session_of(agent_request).order_by("pk").only("pk")[:1]:
        queue.enqueue(successor)
    for waiting in _waiting_for_slot(agent_request):
        queue.enqueue(waiting)


def _waiting_for_slot(agent_request: AgentRequest) -> AgentRequestQuerySet:
    """The first in line of this agent or, where the workspace has a limit, of each of its agents."""
    workspace = agent_request.workspace
    rows = workspace.agent_requests.unfinished()
    if workspace.max_concurrent_requests is None:
        if agent_request.agent_version.typed_definition.max_concurrent_requests is None:
            return rows.none()
        rows = rows.filter(agent=agent_request.agent)
    in_line = rows.filter(
        Q(status=Status.WAITING, wait_reason=WaitReason.CONCURRENCY_LIMIT) | Q(status=Status.PAUSED, is_due=True)
    )
    first = in_line.order_by().values("agent").annotate(first=Min("pk")).values("first")
    return workspace.agent_requests.filter(pk__in=first).only("pk")
