"""What the models of the demo have said, and what that took."""

from bisect import bisect_left

from agents.llm.types import LLMContentBlock, LLMResponse, LLMTokenUsage, LLMToolCall
from agents.loop import LoopState
from agents.tools.ask_user import ASK_USER
from agents.tools.subagent import INVOKE_SUBAGENT
from runtime.kinds import Reason
from telemetry.demo.take import Take
from telemetry.demo.tools import PROPS, QUESTION, TASKS, arguments_of
from telemetry.demo.words import SAYING

INTENT_SCHEMA = {
    "type": "object",
    "properties": {"intent": {"type": "string"}, "confidence": {"type": "number"}},
    "required": ["intent", "confidence"],
}
INTENT = '{"intent": "where_is_my_order", "confidence": 0.93}'
# Counts repeat, so that few different prices must be looked up.
_LEVELS = [round(24 * 1.17**step) + step % 7 for step in range(60)]
_TOKENS_A_SECOND = {"claude-haiku-4-5": 140, "gpt-5-mini": 120, "claude-sonnet-4-5": 70, "demo": 4000}


def response_of(take: Take, state: LoopState) -> LLMResponse:
    """The model's answer at this step: calls as long as the plan has some, then the text."""
    calls = _calls(take, state)
    text = take.rng.choice(SAYING) if calls else _text(take)
    blocks = [LLMContentBlock.text(text)] if text else []
    is_cut = take.plan.end == Reason.TRUNCATED and state.loop_index == take.plan.end_at
    return LLMResponse(
        text=text,
        tool_calls=calls,
        content_blocks=[*blocks, *map(LLMContentBlock.tool_call, calls)],
        stop_reason="max_tokens" if is_cut else "tool_call" if calls else "end_turn",
        usage=usage_of(take, messages=len(state.messages), said=len(text) + 90 * len(calls)),
    )


def usage_of(take: Take, *, messages: int, said: int) -> LLMTokenUsage:
    """Tokens of a call with so many messages, whose answer has so many characters."""
    model = take.player.runnable.llm
    input_tokens = _level(380 + 70 * len(take.player.runnable.tools) + 95 * messages)
    output_tokens = _level(said / 4)
    is_vendor = model.provider in {"anthropic", "openai"}
    cached = int(input_tokens * 0.7) if is_vendor and messages > 1 and input_tokens > 1024 else 0
    written = int(input_tokens * 0.2) if cached and model.provider == "anthropic" else 0
    reasoning = int(output_tokens * 0.5) if model.model == "gpt-5" else 0
    return LLMTokenUsage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=input_tokens + output_tokens,
        cache_read_tokens=cached if is_vendor else None,
        cache_write_tokens=written if model.provider == "anthropic" else None,
        reasoning_tokens=reasoning if model.provider == "openai" else None,
    )


def seconds_of_answer(take: Take, usage: LLMTokenUsage) -> float:
    speed = _TOKENS_A_SECOND.get(take.player.runnable.llm.model, 45)
    return (0.5 + (usage.output_tokens or 0) / speed) * take.rng.lognormvariate(0, 0.35)


def call_id(take: Take) -> str:
    return f"toolu_{take.rng.getrandbits(80):020x}"


def _calls(take: Take, state: LoopState) -> list[LLMToolCall]:
    planned, place = take.plan.calls, state.loop_index
    if take.plan.end == Reason.MAX_STEPS and planned:
        names = planned[place % len(planned)]
    elif take.plan.end == Reason.TRUNCATED and place == take.plan.end_at:
        names = ("get_order",)
    else:
        names = planned[place] if place < len(planned) else ()
    subagents = sorted(take.player.runnable.subagents)
    return [
        _call(take, name, subagents[number % len(subagents)] if subagents else "") for number, name in enumerate(names)
    ]


def _call(take: Take, name: str, subagent: str) -> LLMToolCall:
    if name == INVOKE_SUBAGENT:
        arguments = {"agent_id": subagent, "prompt": take.rng.choice(TASKS), "opts": {"timeout_ms": 120_000}}
    elif name == ASK_USER:
        arguments = dict(QUESTION[ASK_USER])
    else:
        arguments = arguments_of(take.rng, name) if name in PROPS else {}
    return LLMToolCall(id=call_id(take), name=name, arguments=arguments)


def _text(take: Take) -> str:
    return INTENT if take.plan.is_structured else take.answer


def _level(tokens: float) -> int:
    return _LEVELS[min(bisect_left(_LEVELS, tokens), len(_LEVELS) - 1)]
