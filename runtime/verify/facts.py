"""What the log of one request says about its row: a pure fold, one event at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from runtime.kinds import TERMINAL_EVENTS, EventKind, Reason, Status
from runtime.models import RuntimeEvent
from runtime.tally import Tally
from runtime.usage.totals import METERED, Totals

_STATUS = {
    EventKind.REQUEST_COMPLETED: Status.COMPLETED,
    EventKind.REQUEST_FAILED: Status.FAILED,
    EventKind.REQUEST_CANCELLED: Status.CANCELLED,
}


# A summary that a turn begins with has a trace of its own, and a turn that stays even if the request fails.
_OF_SUMMARIES = (
    EventKind.LLM_REQUEST_START,
    EventKind.LLM_REQUEST_COMPLETE,
    EventKind.LLM_REQUEST_ERROR,
    EventKind.LLM_RETRY,
    EventKind.LLM_FALLBACK,
    EventKind.COMPACTION_COMPLETED,
    EventKind.COMPACTION_FAILED,
)


@dataclass(slots=True)
class Facts:
    last_sequence: int = 0
    status: Status | None = None
    """The end of the latest run; None while it goes on."""
    reason: str = ""
    error: Mapping[str, Any] | None = None
    ended_at: datetime | None = None
    accepted_at: datetime | None = None
    trace_started_at: datetime | None = None
    trace_ids: set[UUID] = field(default_factory=set)
    usage: Totals = field(default_factory=Totals)
    tally: Tally = field(default_factory=Tally)
    calls_ended: set[str] = field(default_factory=set)
    """`{loop}.{tool call id}` of every call whose end is written down."""
    questions: dict[str, str] = field(default_factory=dict)
    """What became of each question to a person; empty while nobody has answered."""
    run: int = 1
    is_erased: bool = False
    """Payloads were erased, so what they said can no longer be compared."""
    faults: list[str] = field(default_factory=list)
    """What no log may look like."""


def facts_of(log: Iterable[RuntimeEvent]) -> Facts:
    """Folds a request's events, in order of sequence."""
    facts, keys = Facts(), set[str]()
    for event in log:
        _follow_sequence(facts, event)
        _follow_runs(facts, event)
        if event.dedupe_key and event.dedupe_key in keys:
            facts.faults.append(f"{event.dedupe_key} happened twice, again at {event.sequence}")
        elif event.dedupe_key:
            keys.add(event.dedupe_key)
        if event.trace_id and event.event_type not in _OF_SUMMARIES:
            facts.trace_ids.add(event.trace_id)
        _note_calls(facts, event)
    if facts.last_sequence == 0:
        facts.faults.append("the log is empty")
    return facts


def _follow_sequence(facts: Facts, event: RuntimeEvent) -> None:
    expected = facts.last_sequence + 1
    if event.sequence != expected:
        facts.faults.append(f"sequence {event.sequence} stands where {expected} belongs")
    if (expected == 1) != (event.event_type == EventKind.REQUEST_ACCEPTED):
        facts.faults.append(f"{event.event_type} at {event.sequence}, where it does not belong")
    facts.last_sequence = event.sequence


def _follow_runs(facts: Facts, event: RuntimeEvent) -> None:
    """A run begins with the acceptance or a resume, ends with one terminal event, and nothing follows in it."""
    if event.event_type == EventKind.REQUEST_RESUMED and facts.status is not None:
        facts.status, facts.reason, facts.error, facts.ended_at = None, "", None, None
        facts.run += 1
        return
    if facts.status is not None:
        facts.faults.append(f"{event.event_type} at {event.sequence} follows the end of its run")
    if event.event_type in TERMINAL_EVENTS:
        facts.status = _STATUS[EventKind(event.event_type)]
        facts.ended_at = event.created_at
        facts.reason, facts.error = _reason(event), _error(event)
        facts.is_erased = facts.is_erased or bool(event.payload.get("erased"))
    elif event.event_type == EventKind.REQUEST_ACCEPTED:
        facts.accepted_at = event.created_at
    elif event.event_type == EventKind.TRACE_STARTED and facts.trace_started_at is None:
        facts.trace_started_at = event.created_at


def _note_calls(facts: Facts, event: RuntimeEvent) -> None:
    """What models, tools, subagents and people were asked, and that they have answered."""
    payload, key = event.payload, event.dedupe_key or ""
    facts.tally += Tally.of_event(event.event_type, payload)
    match event.event_type:
        case kind if kind in METERED and "usage" in payload:
            facts.usage += Totals.of_call(payload)
        case kind if kind in METERED:
            facts.is_erased = True
        case EventKind.TOOL_COMPLETED | EventKind.SUBAGENT_COMPLETED:
            facts.calls_ended.add(key.removeprefix("tool.call."))
        case EventKind.WORKFLOW_STEP_COMPLETED | EventKind.WORKFLOW_STEP_FAILED if "path" in payload:
            facts.calls_ended.add(call_of_step(payload["path"], payload["attempt"]))
        case EventKind.INTERACTION_CREATE if "interaction_id" in payload:
            facts.questions[payload["interaction_id"]] = ""
        case EventKind.INTERACTION_ACK if "interaction_id" in payload:
            facts.questions[payload["interaction_id"]] = payload["state"]


def call_of_step(path: str, attempt: int) -> str:
    """How a child that is a step of a run names what has called it: the step's path, and which attempt of it."""
    return path if attempt == 1 else f"{path}#{attempt}"


def _reason(event: RuntimeEvent) -> str:
    """As the end itself says; a completed one names only what is not ordinary."""
    if event.event_type == EventKind.REQUEST_COMPLETED:
        metadata = event.payload.get("response_metadata") or {}
        return str(metadata.get("stop_reason") or Reason.END_TURN)
    return str(event.payload.get("reason") or "")


def _error(event: RuntimeEvent) -> Mapping[str, Any] | None:
    if event.event_type != EventKind.REQUEST_FAILED:
        return None
    return {name: value for name, value in event.payload.items() if name != "reason"}
