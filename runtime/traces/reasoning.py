"""A trace as the steps of its thinking (contract 3.9): a pure function of serialised events."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from runtime.kinds import EventKind
from runtime.traces.serialise import EventRow

TraceStatus = Literal["in_progress", "completed", "error"]
TOOL_EVENTS = (EventKind.TOOL_COMPLETED, EventKind.SUBAGENT_COMPLETED)


class ToolCall(TypedDict):
    name: str
    arguments: dict[str, Any]
    preview: str


class ReasoningStep(TypedDict):
    step: int
    step_index: int | None
    action_type: str
    title: str
    assistant_text: str | None
    tool_calls: list[ToolCall]
    token_usage: dict[str, int]
    think_duration_ms: float
    act_duration_ms: float
    total_duration_ms: float | None


class ReasoningSummary(TypedDict):
    total_steps: int
    total_tools: int
    total_tokens: int
    total_duration_ms: float


class ReasoningTrace(TypedDict):
    status: TraceStatus
    steps: list[ReasoningStep]
    summary: ReasoningSummary
    error: NotRequired[dict[str, Any]]


def build_reasoning_trace(events: Sequence[EventRow]) -> ReasoningTrace:
    """Of the events of one trace, in order. No events: a trace in progress without steps."""
    thoughts = [event for event in events if event["event_type"] == EventKind.THINK_COMPLETED]
    acted, lasted = _durations(events, thoughts)
    steps = [_step(place, event, acted, lasted) for place, event in enumerate(thoughts, start=1)]
    trace = ReasoningTrace(status=status_of(events), steps=steps, summary=_summary(steps))
    if error := _error(events):
        trace["error"] = error
    return trace


def status_of(events: Sequence[EventRow]) -> TraceStatus:
    """By the newest event that ends a run or begins one again; a cancelled run ended without an answer."""
    words: dict[str, TraceStatus] = {
        EventKind.REQUEST_COMPLETED: "completed",
        EventKind.REQUEST_FAILED: "error",
        EventKind.REQUEST_CANCELLED: "error",
        EventKind.REQUEST_RESUMED: "in_progress",
    }
    return next(
        (words[event["event_type"]] for event in reversed(events) if event["event_type"] in words), "in_progress"
    )


def _step(
    place: int, event: EventRow, acted: Mapping[int | None, float], lasted: Mapping[int | None, float]
) -> ReasoningStep:
    payload, index = event["payload"], event["loop_index"]
    usage = payload.get("token_usage") or {}
    calls = [_tool_call(call) for call in payload.get("tool_calls") or []]
    action = str(payload.get("action_type") or "")
    return ReasoningStep(
        step=place,
        step_index=index,
        action_type=action,
        title=_title(action, [call["name"] for call in calls]),
        assistant_text=payload.get("assistant_text"),
        tool_calls=calls,
        token_usage={"input": usage.get("input") or 0, "output": usage.get("output") or 0},
        think_duration_ms=payload.get("duration_ms") or 0,
        act_duration_ms=acted.get(index, 0),
        total_duration_ms=lasted.get(index),
    )


def _durations(
    events: Sequence[EventRow], thoughts: Sequence[EventRow]
) -> tuple[Mapping[int | None, float], Mapping[int | None, float]]:
    """How long each step acted, and how long it lasted in all, by loop index. A tool's event without one is the last step's."""
    known = {event["loop_index"] for event in thoughts}
    last = thoughts[-1]["loop_index"] if thoughts else None
    acted: dict[int | None, float] = defaultdict(float)
    lasted: dict[int | None, float] = {}
    for event in events:
        took = event["payload"].get("duration_ms") or 0
        if event["event_type"] in TOOL_EVENTS:
            acted[event["loop_index"] if event["loop_index"] in known else last] += took
        elif event["event_type"] == EventKind.STEP_COMPLETED:
            lasted[event["loop_index"]] = took
    return acted, lasted


def _summary(steps: Sequence[ReasoningStep]) -> ReasoningSummary:
    durations = [
        step["think_duration_ms"] + step["act_duration_ms"]
        if step["total_duration_ms"] is None
        else step["total_duration_ms"]
        for step in steps
    ]
    return ReasoningSummary(
        total_steps=len(steps),
        total_tools=sum(len(step["tool_calls"]) for step in steps),
        total_tokens=sum(step["token_usage"]["input"] + step["token_usage"]["output"] for step in steps),
        total_duration_ms=sum(durations),
    )


def _error(events: Sequence[EventRow]) -> dict[str, Any] | None:
    """What the end of a failed run said; nothing while a later run goes on."""
    if status_of(events) != "error":
        return None
    end = next(event for event in reversed(events) if event["event_type"] in _UNHAPPY)
    if end["event_type"] == EventKind.REQUEST_CANCELLED:
        return {"message": "The request was cancelled.", "error_type": "RequestCancelled"}
    return {"message": end["payload"].get("error"), "error_type": end["payload"].get("error_type")}


_UNHAPPY = (EventKind.REQUEST_FAILED, EventKind.REQUEST_CANCELLED)


def _title(action: str, names: Sequence[str]) -> str:
    if action == "tool_call" and names:
        return f"Calling tools: {', '.join(names)}"
    return {"response": "Generating response", "finish": "Finishing execution"}.get(action, f"Action: {action}")


def _tool_call(call: Mapping[str, Any]) -> ToolCall:
    arguments = call.get("arguments") or {}
    name = str(call.get("name") or "")
    return ToolCall(name=name, arguments=arguments, preview=_preview(name, arguments))


def _preview(name: str, arguments: Mapping[str, Any]) -> str:
    if name == "bash" and arguments.get("command"):
        return f"$ {_cut(str(arguments['command']), 80)}"
    if not arguments:
        return name
    shown = [f"{key}={_value(value)}" for key, value in list(arguments.items())[:2]]
    if len(arguments) > 2:
        shown.append(f"+{len(arguments) - 2} more")
    return f"{name}({', '.join(shown)})"


def _value(value: Any) -> str:
    return _cut(value, 40) if isinstance(value, str) else json.dumps(value, default=str)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
