"""The agent loop as a pure state machine: given what has happened, what comes next (contract 5.4)?

`next_step` names the next thing to do; whoever does it reports back through `after_think`, `after_tool` or
`after_commit`, each of which returns a new state. Nothing here waits, stores or calls anything, so a request can
be rebuilt from its log by replaying the same reports.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from agents.llm.types import LLMContentBlock, LLMMessage, LLMResponse, LLMToolCall
from agents.tools.base import ToolResult

ActionType = Literal["tool_call", "response", "finish"]
MAX_STEPS_PREFIX = "Stopped after reaching the max step limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Think:
    """Send the conversation to the model."""

    loop_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTool:
    """Run one tool call of the current step."""

    loop_index: int
    call: LLMToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStep:
    """The step is complete: write it down."""

    loop_index: int
    action_type: ActionType
    tool_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The turn is complete. `stopped_by_limit` marks the contract's fixed text of an exhausted step limit."""

    text: str
    stopped_by_limit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """The turn cannot be completed."""

    code: str
    message: str


Step = Think | CallTool | CommitStep | Finish | Fail


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopState:
    """Where a turn stands: the conversation so far, and the step in hand."""

    messages: tuple[LLMMessage, ...]
    max_steps: int
    loop_index: int = 0
    action_type: ActionType | None = None
    calls: tuple[LLMToolCall, ...] = ()
    results: Mapping[str, ToolResult] = field(default_factory=dict)
    answer_blocks: tuple[LLMContentBlock, ...] = ()
    truncated_call: bool = False
    committed: bool = False
    invocations: Mapping[str, int] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0


def next_step(state: LoopState) -> Step:
    """What to do now."""
    if state.action_type is None:
        return Think(loop_index=state.loop_index)
    if state.truncated_call:
        return Fail(code="truncated_tool_call", message="The model's answer was cut off inside a tool call.")
    if not state.committed:
        return _within_step(state)
    if state.action_type == "finish":
        return Finish(text=_text_of(state.answer_blocks))
    return Finish(text=_limit_text(state.max_steps), stopped_by_limit=True)


def after_think(state: LoopState, response: LLMResponse) -> LoopState:
    """The model has answered."""
    blocks = tuple(response.content_blocks)
    answer = (LLMMessage(role="assistant", content=list(blocks)),) if blocks else ()
    return replace(
        state,
        messages=state.messages + answer,
        action_type=_classify(response),
        calls=tuple(response.tool_calls),
        results={},
        answer_blocks=blocks,
        truncated_call=response.stop_reason == "max_tokens" and bool(response.tool_calls),
        committed=False,
        input_tokens=state.input_tokens + (response.usage.input_tokens or 0),
        output_tokens=state.output_tokens + (response.usage.output_tokens or 0),
    )


def after_tool(state: LoopState, call: LLMToolCall, result: ToolResult) -> LoopState:
    """A tool call has its result; every executed call counts, of unknown tools too (contract 4.1)."""
    invocations = {**state.invocations, call.name: state.invocations.get(call.name, 0) + 1}
    return replace(state, results={**state.results, call.id: result}, invocations=invocations)


def after_commit(state: LoopState) -> LoopState:
    """The step is written down: observe its results, and go on unless the turn is done or out of steps."""
    if state.action_type == "tool_call":
        state = replace(state, messages=(*state.messages, _results_message(state)))
    if state.action_type == "finish" or state.loop_index + 1 >= state.max_steps:
        return replace(state, committed=True)
    return replace(state, loop_index=state.loop_index + 1, action_type=None, calls=(), results={}, committed=False)


def _within_step(state: LoopState) -> Step:
    for call in state.calls:
        if call.id not in state.results:
            return CallTool(loop_index=state.loop_index, call=call)
    assert state.action_type is not None  # noqa: S101  next_step has looked
    return CommitStep(
        loop_index=state.loop_index,
        action_type=state.action_type,
        tool_names=tuple(call.name for call in state.calls),
    )


def _classify(response: LLMResponse) -> ActionType:
    if response.tool_calls:
        return "tool_call"
    if response.stop_reason == "end_turn" or not response.text:
        return "finish"
    return "response"


def _results_message(state: LoopState) -> LLMMessage:
    """All results of a step travel as one message, in the order of the calls."""
    blocks = [
        LLMContentBlock.tool_result(call.id, state.results[call.id].content, is_error=state.results[call.id].is_error)
        for call in state.calls
    ]
    return LLMMessage(role="tool", content=blocks)


def _text_of(blocks: tuple[LLMContentBlock, ...]) -> str:
    return "".join(str(block.data.get("text", "")) for block in blocks if block.type == "text").strip()


def _limit_text(max_steps: int) -> str:
    return f"{MAX_STEPS_PREFIX} ({max_steps}). Raise the limit, or ask for a smaller piece of work."
