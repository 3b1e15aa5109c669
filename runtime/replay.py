"""Drives the loop again from what a log recorded, and says where it would have gone another way.

No model, tool or person is asked: their answers are in the log. What is compared is the loop's own part, which is what a
change of code can change.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agents.loop import Ask, CallTools, CommitStep, Delegate, Fail, Finish, LoopState, Step, Think, next_step
from agents.tools.ask_user import ASK_USER
from agents.tools.base import CrashPolicy
from runtime.kinds import EventKind
from runtime.models import Interaction, RuntimeEvent
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
    kinds, is_same = _EXPECTED[event.event_type]
    return isinstance(step, kinds) and is_same(event, step)


def _is_think(event: RuntimeEvent, step: Any) -> bool:
    return bool(step.loop_index == event.loop_index)


def _has_call(event: RuntimeEvent, step: Any) -> bool:
    return any(call.id == event.payload["tool_call_id"] for call in step.calls)


def _asks(event: RuntimeEvent, step: Any) -> bool:
    """A question before a call, or one that a running tool has (`runtime.interactions.within_call`)."""
    [call] = event.payload["tool_calls"]
    is_before = event.payload["kind"] == Interaction.Kind.APPROVAL or call["name"] == ASK_USER
    return isinstance(step, Ask if is_before else CallTools) and any(one.id == call["id"] for one in step.calls)


def _is_answered(event: RuntimeEvent, step: Any) -> bool:
    if isinstance(step, Ask):
        return _has_call(event, step)
    return any(event.payload["tool_call_id"].startswith(f"{call.id}#") for call in step.calls)


def _waits(event: RuntimeEvent, step: Any) -> bool:
    return isinstance(step, Delegate if event.payload["reason"] == "subagent" else Ask)


def _commits(event: RuntimeEvent, step: Any) -> bool:
    said = (event.loop_index, event.payload["action_type"], event.payload["tool_calls"])
    return said == (step.loop_index, step.action_type, list(step.tool_names))


def _finishes(event: RuntimeEvent, step: Any) -> bool:
    was_limit = event.payload["response_metadata"].get("stop_reason") == "max_steps"
    return was_limit == step.stopped_by_limit and bool(event.payload["response"]["text"] == step.text)


def _fails(event: RuntimeEvent, step: Any) -> bool:
    """A failure from outside, such as a provider's, may come at any step; the loop's own has the loop's code."""
    return not isinstance(step, Fail) or step.code == event.payload["error_code"]


_ANY = (Think, CallTools, Delegate, Ask, CommitStep, Finish, Fail)
# Which steps of the loop an event may come from, and what else must fit
_EXPECTED: dict[str, tuple[tuple[type, ...], Callable[[RuntimeEvent, Any], bool]]] = {
    EventKind.THINK_COMPLETED: ((Think,), _is_think),
    EventKind.TOOL_STARTED: ((CallTools, Delegate), _has_call),
    EventKind.TOOL_COMPLETED: ((CallTools,), _has_call),
    EventKind.SUBAGENT_COMPLETED: ((Delegate,), _has_call),
    EventKind.INTERACTION_CREATE: ((Ask, CallTools), _asks),
    EventKind.INTERACTION_ACK: ((Ask, CallTools), _is_answered),
    EventKind.REQUEST_PAUSED: ((Ask, Delegate), _waits),
    EventKind.STEP_COMPLETED: ((CommitStep,), _commits),
    EventKind.REQUEST_COMPLETED: ((Finish,), _finishes),
    EventKind.REQUEST_FAILED: (_ANY, _fails),
}


def _is_understood(event: RuntimeEvent, state: LoopState) -> bool:
    """Whether the loop takes the model's answer for the same kind of action today."""
    return bool(state.action_type == event.payload["action_type"])


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
