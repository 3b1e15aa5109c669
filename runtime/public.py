"""How the log looks from outside: public events (contract 2.4), telemetry rows (3.2) and request rows (extensions 4)."""

import json
from collections.abc import Sequence
from typing import Any

from runtime.kinds import PUBLIC_NAMES, TERMINAL_EVENTS, TEXT_BOUNDARIES, EventKind, Status
from runtime.models import AgentRequest, Interaction, RuntimeEvent
from runtime.usage.totals import Totals

_STATUS_WORDS = {
    EventKind.REQUEST_ACCEPTED: "accepted",
    EventKind.REQUEST_WAITING: "waiting",
    EventKind.TRACE_STARTED: "started",
    EventKind.REQUEST_PAUSED: "paused",
    EventKind.REQUEST_RESUMED: "resumed",
    EventKind.INTERACTION_CREATE: "paused",
    EventKind.INTERACTION_ACK: "paused",
    EventKind.REQUEST_COMPLETED: "completed",
    EventKind.REQUEST_FAILED: "error",
    EventKind.REQUEST_CANCELLED: "cancelled",
}
# What these events show beyond the four common keys; the others show their whole payload.
_SHOWN: dict[str, tuple[str, ...]] = {
    EventKind.REQUEST_ACCEPTED: (),
    EventKind.TRACE_STARTED: (),
}


def public_event(
    event: RuntimeEvent, agent_request: AgentRequest, *, knows_cancelled: bool
) -> tuple[str, dict[str, Any]]:
    """Name and data of the event. Clients of 0.3.2 know no `request.cancelled` and get `request.error` instead."""
    name = PUBLIC_NAMES.get(event.event_type)
    if name is None:
        return "agent.trace", _trace(event, agent_request)
    word = _STATUS_WORDS.get(EventKind(event.event_type))
    data = _common(agent_request) | ({"status": word} if word else {})
    shown = _SHOWN.get(event.event_type)
    data |= event.payload if shown is None else {key: event.payload[key] for key in shown}
    if name == "request.cancelled" and not knows_cancelled:
        text = "The request was cancelled."
        data |= {"status": "error", "error": text, "error_code": "cancelled", "retryable": False}
        return "request.error", data
    return name, data


def frame(event: RuntimeEvent, agent_request: AgentRequest, *, knows_cancelled: bool, cursor: int) -> bytes:
    """The event as one server-sent event; `cursor` is what a client sends back as `Last-Event-ID`."""
    name, data = public_event(event, agent_request, knows_cancelled=knows_cancelled)
    return f"id: {cursor}\nevent: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def is_terminal_event(event: RuntimeEvent) -> bool:
    return event.event_type in TERMINAL_EVENTS


def last_boundary(events: Sequence[RuntimeEvent]) -> int:
    """The last of these events that begins or ends what a model says; 0 when none does."""
    return max((event.sequence for event in events if event.event_type in TEXT_BOUNDARIES), default=0)


def _common(agent_request: AgentRequest) -> dict[str, Any]:
    return {
        "request_id": str(agent_request.request_id),
        "agent_id": agent_request.agent.agent_id,
        "session_id": agent_request.session_id,
    }


def _trace(event: RuntimeEvent, agent_request: AgentRequest) -> dict[str, Any]:
    return {
        "event_type": event.event_type,
        "trace_id": str(event.trace_id) if event.trace_id else None,
        "session_id": event.session_id,
        "loop_index": event.loop_index,
        "step_key": event.step_key or None,
        "created_at": event.created_at.timestamp(),
        "payload": shown_payload(event),
        "request_id": str(agent_request.request_id),
        "request_seq": event.sequence,
        "event_id": event.event_id,
    }


def shown_payload(event: RuntimeEvent) -> dict[str, Any]:
    """The payload as readers see it: a `subagent.*` event that was given its child's event tells what that one says."""
    mirrored = event.mirrored
    if mirrored is None:
        return dict(event.payload)
    _, said = public_event(mirrored, mirrored.agent_request, knows_cancelled=True)
    about = {**event.payload, "data": said}
    # Clients of 0.3.2 look in both places (contract 3.4).
    return {**about, "payload": about}


def request_row(agent_request: AgentRequest, *, with_children: Totals | None = None) -> dict[str, Any]:
    """One request as lists and status routes show it; only the latter look at its children (`runtime.usage.family`)."""
    return {
        **_common(agent_request),
        "status": agent_request.status,
        "reason": agent_request.reason or None,
        "wait_reason": agent_request.wait_reason or None,
        "pause_reason": agent_request.pause_reason or None,
        "kind": agent_request.kind,
        "run": agent_request.run,
        "parent_request_id": str(agent_request.parent.request_id) if agent_request.parent else None,
        "rerun_of": str(agent_request.rerun_of.request_id) if agent_request.rerun_of else None,
        "attempt": agent_request.attempt,
        "request_seq": agent_request.last_sequence,
        "trace_id": str(agent_request.trace_id) if agent_request.trace_id else None,
        "agent_version": agent_request.agent_version.number,
        "user": agent_request.user or None,
        "metadata": agent_request.metadata,
        "attachments": agent_request.attachments,
        "tokens": {"input": agent_request.input_tokens, "output": agent_request.output_tokens},
        "usage": {
            "own": Totals.of_request(agent_request).as_json(),
            "including_children": with_children.as_json() if with_children else None,
        },
        "error": agent_request.error,
        "accepted_at": agent_request.accepted_at.timestamp(),
        "started_at": agent_request.started_at.timestamp() if agent_request.started_at else None,
        "finished_at": agent_request.finished_at.timestamp() if agent_request.finished_at else None,
        "is_terminal": agent_request.is_terminal,
    }


def interaction_row(interaction: Interaction) -> dict[str, Any]:
    """One question to a person, as the inbox shows it."""
    return {
        "interaction_id": interaction.interaction_id,
        **_common(interaction.agent_request),
        "kind": interaction.kind,
        "prompt": interaction.prompt,
        "options": interaction.options,
        "schema": interaction.schema,
        "tool_calls": interaction.tool_calls,
        "state": interaction.state,
        "deadline": interaction.deadline.timestamp(),
        "response": interaction.answer,
        "note": interaction.note or None,
        "answered_by": interaction.answered_by or None,
        "answered_at": interaction.answered_at.timestamp() if interaction.answered_at else None,
        "created_at": interaction.created_at.timestamp(),
    }


def completed_data(agent_request: AgentRequest) -> tuple[str, dict[str, Any]] | None:
    """Name and data of the terminal event that heads the log, or None while the request is not at its end."""
    if agent_request.status not in {Status.COMPLETED, Status.FAILED, Status.CANCELLED}:
        return None
    event = agent_request.events.filter(sequence=agent_request.last_sequence).first()
    return public_event(event, agent_request, knows_cancelled=True) if event else None
