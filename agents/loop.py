"""The agent loop as a pure state machine: given what has happened, what comes next (contract 5.4)?

`next_step` names the next thing to do; whoever does it reports back through `after_think`, `after_tool` or
`after_commit`, each of which returns a new state. Nothing here waits, stores or calls anything, so a request can
be rebuilt from its log by replaying the same reports.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Literal

from agents.json_schema import faults_of
from agents.llm.types import LLMContentBlock, LLMMessage, LLMResponse, LLMToolCall
from agents.output import InvalidOutput, read_output
from agents.tools.ask_user import ASK_USER, AskUserTool
from agents.tools.base import ToolResult
from agents.tools.subagent import INVOKE_SUBAGENT

ActionType = Literal["tool_call", "response", "finish"]
MAX_STEPS_PREFIX = "Stopped after reaching the max step limit"
MAX_OUTPUT_REPAIRS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Think:
    """Send the conversation to the model."""

    loop_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTools:
    """Run these calls of the current step; more than one may run at the same time."""

    loop_index: int
    calls: tuple[LLMToolCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegate:
    """Hand these calls' work to subagents, which run at the same time, and wait for them."""

    loop_index: int
    calls: tuple[LLMToolCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Ask a person about these calls: to approve them, or to answer the model's question."""

    loop_index: int
    calls: tuple[LLMToolCall, ...]


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
    output: Any = None
    """The answer as JSON, where the request asked for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """The turn cannot be completed."""

    code: str
    message: str


Step = Think | CallTools | Delegate | Ask | CommitStep | Finish | Fail


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person said to a call. Only an explicit approval lets a call that needs one run."""

    state: str
    """`answered`, or `expired` when nobody did in time."""
    response: Any
    note: str = ""

    @property
    def is_approval(self) -> bool:
        return self.state == "answered" and self.response == "approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRules:
    """What the loop must know of the agent's tools, by name."""

    parallel_safe: frozenset[str] = frozenset()
    needs_approval: frozenset[str] = frozenset()
    may_ask: bool = False
    may_delegate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopState:
    """Where a turn stands: the conversation so far, and the step in hand."""

    messages: tuple[LLMMessage, ...]
    max_steps: int
    rules: ToolRules = field(default_factory=ToolRules)
    output_schema: Mapping[str, Any] | None = None
    output_repairs: int = 0
    loop_index: int = 0
    action_type: ActionType | None = None
    calls: tuple[LLMToolCall, ...] = ()
    results: Mapping[str, ToolResult] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    to_confirm: frozenset[str] = frozenset()
    """Calls that a lost worker had begun and that only a person may start again."""
    interrupted: frozenset[str] = frozenset()
    """Calls that a lost worker had begun and that may not be started again: their outcome is unknown."""
    begun_before: frozenset[str] = frozenset()
    """Calls that a lost worker had begun and about which a person has been asked since."""
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
    return _ending(state)


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
        answers={},
        to_confirm=frozenset(),
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


def after_answer(state: LoopState, call_id: str, answer: Answer) -> LoopState:
    """A person has answered, or has not in time."""
    return replace(state, answers={**state.answers, call_id: answer}, to_confirm=state.to_confirm - {call_id})


def after_interruption(state: LoopState, call_ids: Iterable[str]) -> LoopState:
    """A lost worker had begun these calls, and only a person may say that they run again."""
    to_confirm = frozenset(call_ids)
    answers = {call_id: answer for call_id, answer in state.answers.items() if call_id not in to_confirm}
    return replace(state, answers=answers, to_confirm=to_confirm)


def after_commit(state: LoopState) -> LoopState:
    """The step is written down: observe its results, and go on unless the turn is done or out of steps."""
    if state.action_type == "tool_call":
        state = replace(state, messages=(*state.messages, _results_message(state)))
    is_last = state.loop_index + 1 >= state.max_steps
    may_repair = state.action_type == "finish" and not is_last and state.output_repairs < MAX_OUTPUT_REPAIRS
    if may_repair and (fault := _output_fault(state)):
        messages = (*state.messages, _repair_message(fault))
        return _next_round(replace(state, messages=messages, output_repairs=state.output_repairs + 1))
    if state.action_type == "finish" or is_last:
        return replace(state, committed=True)
    return _next_round(state)


def _next_round(state: LoopState) -> LoopState:
    return replace(
        state,
        loop_index=state.loop_index + 1,
        action_type=None,
        calls=(),
        results={},
        answers={},
        to_confirm=frozenset(),
        interrupted=frozenset(),
        begun_before=frozenset(),
        committed=False,
    )


def _within_step(state: LoopState) -> Step:
    open_calls = [call for call in state.calls if call.id not in state.results]
    if not open_calls:
        assert state.action_type is not None  # noqa: S101  next_step has looked
        names = tuple(call.name for call in state.calls)
        return CommitStep(loop_index=state.loop_index, action_type=state.action_type, tool_names=names)
    # Everything that a person must be asked is asked at once, before anything of the step runs.
    if asked := tuple(call for call in open_calls if _needs_answer(state, call)):
        return Ask(loop_index=state.loop_index, calls=asked)
    first = open_calls[0]
    if _is_delegation(state, first):
        delegations = tuple(call for call in open_calls if _is_delegation(state, call))
        return Delegate(loop_index=state.loop_index, calls=delegations)
    together = tuple(takewhile(lambda call: call.name in state.rules.parallel_safe, open_calls))
    return CallTools(loop_index=state.loop_index, calls=together or (first,))


def _needs_answer(state: LoopState, call: LLMToolCall) -> bool:
    if call.id in state.answers or call.invalid_arguments is not None:
        return False
    if call.name == ASK_USER:
        return state.rules.may_ask and not faults_of(AskUserTool.parameters, call.arguments)
    return call.name in state.rules.needs_approval or call.id in state.to_confirm


def _is_delegation(state: LoopState, call: LLMToolCall) -> bool:
    """A denied delegation is answered like any other denied call."""
    answer = state.answers.get(call.id)
    is_allowed = answer is None or answer.is_approval
    return call.name == INVOKE_SUBAGENT and state.rules.may_delegate and is_allowed


def _ending(state: LoopState) -> Step:
    if state.action_type != "finish" and state.output_schema is None:
        return Finish(text=_limit_text(state.max_steps), stopped_by_limit=True)
    text = _text_of(state.answer_blocks)
    if state.output_schema is None:
        return Finish(text=text)
    if fault := _output_fault(state):
        return Fail(code="invalid_output", message=f"The model's answer does not satisfy the requested schema: {fault}")
    return Finish(text=text, output=read_output(text, state.output_schema))


def _output_fault(state: LoopState) -> str:
    if state.output_schema is None:
        return ""
    if state.action_type != "finish":
        return "the step limit came first"
    try:
        read_output(_text_of(state.answer_blocks), state.output_schema)
    except InvalidOutput as error:
        return str(error)
    return ""


def _repair_message(fault: str) -> LLMMessage:
    text = f"Your answer is not usable: {fault}. Answer again with nothing but JSON that satisfies the schema."
    return LLMMessage(role="user", content=[LLMContentBlock.text(text)])


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
