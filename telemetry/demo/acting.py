"""A step's tool calls: those of one step run at the same time, and end one after another."""

from collections.abc import Iterable

from agents.llm.types import LLMToolCall
from agents.loop import LoopState, after_tool
from agents.tools.base import ToolResult
from runtime import tool_events
from runtime.act import known_result
from runtime.kinds import EventKind
from telemetry.demo.take import Take
from telemetry.demo.tools import result_of, seconds_of


def act(take: Take, state: LoopState, calls: Iterable[LLMToolCall]) -> LoopState:
    to_run: list[LLMToolCall] = []
    for call in calls:
        result = known_result(state, call)
        if result is None:
            to_run.append(call)
        else:
            state = end_call(take, state, call, result, duration_ms=0)
    for call in to_run:
        take.say(*tool_events.started(state.loop_index, call))
    began = take.at
    for seconds, call in sorted(((seconds_of(take.rng, call.name), call) for call in to_run), key=lambda pair: pair[0]):
        take.wait(max(0.0, seconds - (take.at - began).total_seconds()))
        result = result_of(take.rng, call.name, call.arguments)
        state = end_call(take, state, call, result, duration_ms=round(seconds * 1000))
    return state


def end_call(
    take: Take,
    state: LoopState,
    call: LLMToolCall,
    result: ToolResult,
    *,
    duration_ms: int,
    kind: EventKind = EventKind.TOOL_COMPLETED,
) -> LoopState:
    index = state.loop_index
    take.say(
        tool_events.result(index, call, result),
        tool_events.completed(index, call, result, duration_ms=duration_ms, kind=kind),
    )
    return after_tool(state, call, result)
