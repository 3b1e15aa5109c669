"""Brings the loop back to where its log says it was, by replaying the reports that the log holds."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from agents.llm.types import LLMContentBlock, LLMResponse, LLMTokenUsage, LLMToolCall
from agents.loop import Answer, LoopState, after_answer, after_commit, after_interruption, after_think, after_tool
from agents.tools.base import CrashPolicy, ToolResult
from agents.tools.subagent import INVOKE_SUBAGENT
from runtime.kinds import EventKind
from runtime.models import RuntimeEvent

REPLAYED = (
    EventKind.THINK_COMPLETED,
    EventKind.TOOL_STARTED,
    EventKind.TOOL_COMPLETED,
    EventKind.SUBAGENT_COMPLETED,
    EventKind.INTERACTION_ACK,
    EventKind.STEP_COMPLETED,
)


def rebuild(
    initial: LoopState, log: Iterable[RuntimeEvent], *, crash_policy: Callable[[str], CrashPolicy]
) -> LoopState:
    """Folds the log, in order of sequence, over the state that the turn began with."""
    state, begun, begun_before = initial, dict[str, str](), set[str]()
    for event in log:
        if event.event_type == EventKind.TOOL_STARTED:
            begun[event.payload["tool_call_id"]] = event.payload["tool_name"]
        elif event.event_type == EventKind.INTERACTION_ACK:
            # What is asked after a call had begun is whether it may run again.
            if begun.pop(event.payload["tool_call_id"], None):
                begun_before.add(event.payload["tool_call_id"])
            state = after_event(state, event)
        else:
            begun.pop(event.payload.get("tool_call_id", ""), None)
            state = after_event(state, event)
    policies = {call_id: crash_policy(name) for call_id, name in begun.items() if name != INVOKE_SUBAGENT}
    unknown = frozenset(call_id for call_id, policy in policies.items() if policy == "at_most_once")
    to_confirm = [call_id for call_id, policy in policies.items() if policy == "ask"]
    state = replace(state, interrupted=unknown, begun_before=frozenset(begun_before))
    return after_interruption(state, to_confirm)


def after_event(state: LoopState, event: RuntimeEvent) -> LoopState:
    """The state after what the event reports; events that the loop does not know change nothing."""
    match event.event_type:
        case EventKind.THINK_COMPLETED:
            return after_think(state, _response(event.payload))
        case EventKind.TOOL_COMPLETED | EventKind.SUBAGENT_COMPLETED:
            return after_tool(state, _call(state, event.payload), _result(event.payload["result"]))
        case EventKind.INTERACTION_ACK:
            return after_answer(state, event.payload["tool_call_id"], answer_of(event.payload))
        case EventKind.STEP_COMPLETED:
            return after_commit(state)
    return state


def answer_of(payload: dict[str, Any]) -> Answer:
    """What an acknowledgement in the log says."""
    return Answer(state=payload["state"], response=payload["response"], note=payload["note"])


def _response(payload: dict[str, Any]) -> LLMResponse:
    return LLMResponse(
        text=payload["assistant_text"] or "",
        tool_calls=[LLMToolCall.from_dict(call) for call in payload["tool_calls"]],
        content_blocks=[LLMContentBlock.from_dict(block) for block in payload["assistant_blocks"]],
        stop_reason=payload["stop_reason"],
        usage=LLMTokenUsage.from_dict(payload["usage"]),
    )


def _call(state: LoopState, payload: dict[str, Any]) -> LLMToolCall:
    return next(call for call in state.calls if call.id == payload["tool_call_id"])


def _result(result: dict[str, Any]) -> ToolResult:
    return ToolResult(result["content"], is_error=result["is_error"], metadata=result["metadata"])
