"""Brings a loop back to where its log says it was, by replaying the reports that the log holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agents.llm.types import LLMContentBlock, LLMResponse, LLMTokenUsage, LLMToolCall
from agents.loop import LoopState, after_commit, after_think, after_tool
from agents.tools.base import ToolResult
from runtime.kinds import EventKind
from runtime.models import RuntimeEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    state: LoopState
    interrupted: frozenset[str]
    """Ids of tool calls of the current step that were started and not finished."""


def rebuild(initial: LoopState, log: Iterable[RuntimeEvent]) -> Rebuilt:
    """Folds the log, in order of sequence, over the state that the turn began with."""
    state, begun = initial, set[str]()
    for event in log:
        match event.event_type:
            case EventKind.THINK_COMPLETED:
                state = after_think(state, _response(event.payload))
            case EventKind.TOOL_STARTED:
                begun.add(event.payload["tool_call_id"])
            case EventKind.TOOL_COMPLETED:
                begun.discard(event.payload["tool_call_id"])
                state = after_tool(state, _call(state, event.payload), _result(event.payload["result"]))
            case EventKind.STEP_COMPLETED:
                state = after_commit(state)
    return Rebuilt(state=state, interrupted=frozenset(begun))


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
