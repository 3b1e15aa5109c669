"""Drives the loop again from what a log recorded, and says where it would have gone another way.

No model, tool or person is asked: their answers are in the log. What is compared is the loop's own part, which is what a
change of code can change.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agents.llm.types import LLMToolCall
from agents.loop import Ask, CallTools, CommitStep, Delegate, Fail, Finish, LoopState, Step, Think, next_step
from agents.tools.base import CrashPolicy
from runtime.kinds import EventKind
from runtime.models import RuntimeEvent
from runtime.rebuild import REPLAYED, after_event, rebuild

COMPARED = (
    *REPLAYED,
    EventKind.INTERACTION_CREATE,
    EventKind.REQUEST_PAUSED,
    EventKind.REQUEST_COMPLETED,
    EventKind.REQUEST_FAILED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One event of the log beside what the loop says there."""

    sequence: int
    logged: str
    loop: str
    is_same: bool


def replay(
    initial: LoopState, log: Iterable[RuntimeEvent], *, crash_policy: Callable[[str], CrashPolicy]
) -> Iterator[Replayed]:
    """Every compared event in order, up to and including the first that differs."""
    state, past = initial, list[RuntimeEvent]()
    for event in log:
        step = next_step(state)
        if not _is_same(event, step):
            # Another attempt may have begun here: it starts from the log, and knows which calls were interrupted.
            state = rebuild(initial, past, crash_policy=crash_policy)
            step = next_step(state)
        is_same = _is_same(event, step)
        if is_same:
            state = after_event(state, event)
            is_same = event.event_type != EventKind.THINK_COMPLETED or _is_understood(event, state)
        loop = _told(step) if event.event_type != EventKind.THINK_COMPLETED else f"{_told(step)}: {state.action_type}"
        yield Replayed(sequence=event.sequence, logged=_logged(event), loop=loop, is_same=is_same)
        if not is_same:
            return
        if event.event_type in REPLAYED:
            past.append(event)


def _is_same(event: RuntimeEvent, step: Step) -> bool:
    payload = event.payload
    match event.event_type:
        case EventKind.THINK_COMPLETED:
            return isinstance(step, Think) and step.loop_index == event.loop_index
        case EventKind.TOOL_STARTED:
            return isinstance(step, (CallTools, Delegate)) and _has_call(step.calls, payload)
        case EventKind.TOOL_COMPLETED:
            return isinstance(step, CallTools) and _has_call(step.calls, payload)
        case EventKind.SUBAGENT_COMPLETED:
            return isinstance(step, Delegate) and _has_call(step.calls, payload)
        case EventKind.INTERACTION_CREATE:
            return isinstance(step, Ask) and any(_has_id(step.calls, call["id"]) for call in payload["tool_calls"])
        case EventKind.INTERACTION_ACK:
            return isinstance(step, Ask) and _has_call(step.calls, payload)
        case EventKind.REQUEST_PAUSED:
            return isinstance(step, Delegate if payload["reason"] == "subagent" else Ask)
        case EventKind.STEP_COMPLETED:
            return isinstance(step, CommitStep) and _commits(event, step)
        case EventKind.REQUEST_COMPLETED:
            return isinstance(step, Finish) and _finishes(payload, step)
        case _:
            return _fails(payload, step)


def _is_understood(event: RuntimeEvent, state: LoopState) -> bool:
    """Whether the loop takes the model's answer for the same kind of action today."""
    return state.action_type == event.payload["action_type"]


def _commits(event: RuntimeEvent, step: CommitStep) -> bool:
    said = (event.loop_index, event.payload["action_type"], event.payload["tool_calls"])
    return said == (step.loop_index, step.action_type, list(step.tool_names))


def _finishes(payload: dict[str, Any], step: Finish) -> bool:
    was_limit = payload["response_metadata"].get("stop_reason") == "max_steps"
    return was_limit == step.stopped_by_limit and payload["response"]["text"] == step.text


def _fails(payload: dict[str, Any], step: Step) -> bool:
    """A failure from outside, such as a provider's, may come at any step; the loop's own has the loop's code."""
    return not isinstance(step, Fail) or step.code == payload["error_code"]


def _has_call(calls: Iterable[LLMToolCall], payload: dict[str, Any]) -> bool:
    return _has_id(calls, payload["tool_call_id"])


def _has_id(calls: Iterable[LLMToolCall], call_id: str) -> bool:
    return any(call.id == call_id for call in calls)


def _logged(event: RuntimeEvent) -> str:
    """The event in a few words."""
    payload = event.payload
    if event.event_type == EventKind.THINK_COMPLETED:
        return f"{event.event_type} {event.loop_index}: {payload['action_type']}"
    if event.event_type == EventKind.STEP_COMPLETED:
        return f"{event.event_type} {event.loop_index}: {payload['action_type']} {', '.join(payload['tool_calls'])}".strip()
    about = payload.get("tool_name") or payload.get("reason") or payload.get("error_code") or payload.get("prompt")
    return f"{event.event_type}: {about} {payload.get('tool_call_id', '')}".strip() if about else event.event_type


def _told(step: Step) -> str:
    match step:
        case Think():
            return f"think {step.loop_index}"
        case CommitStep():
            return f"commit step {step.loop_index}: {step.action_type} {', '.join(step.tool_names)}".strip()
        case Finish():
            return "finish, stopped by the step limit" if step.stopped_by_limit else "finish"
        case Fail():
            return f"fail: {step.code}"
    words = {CallTools: "call", Delegate: "delegate", Ask: "ask about"}
    return f"{words[type(step)]} {', '.join(f'{call.name} {call.id}' for call in step.calls)}"
