"""A provider without a model: it shows how a turn and its tools run when no key is set."""

import hashlib
import json
import re
import shlex
import time
from itertools import takewhile
from typing import Any

from agents.llm.clients import STOPPED
from agents.llm.errors import CallStopped
from agents.llm.types import (
    LLMCapabilities,
    LLMContentBlock,
    LLMRequest,
    LLMResponse,
    LLMTokenUsage,
    LLMToolCall,
    LLMToolDefinition,
)

NOTICE = "This is Mash's offline demo provider; no model was asked."
TIME_WORDS = re.compile(r"\b(time|date|day|today|clock|o'clock)\b", re.IGNORECASE)
ARITHMETIC = re.compile(r"[-+(]*\d[\d.()]*(?:\s*(?:\*\*|//|[-+*/%^])\s*[-+(]*\d[\d.()]*)+")
SLOWLY = re.compile(r"\bslowly\b(?:\D*(\d{1,3})\b)?", re.IGNORECASE)
SECONDS_PER_WORD = 0.5
USUAL_COUNT = 60
PIECES = re.compile(r"\S+\s*|\s+")
CHARACTERS_PER_TOKEN = 4


class DemoProvider:
    provider = "demo"

    def __init__(self, *, model: str | None = None) -> None:
        self.model = model or "demo"

    def capabilities(self) -> LLMCapabilities:
        return LLMCapabilities(streaming=True)

    def send(self, request: LLMRequest) -> LLMResponse:
        """Calls the tools that the message asks for, then answers from their results; equal input, equal answer.

        Asked to count slowly, it says a number every half second, so that there is something to watch and to stop.
        """
        question, results = _last_exchange(request)
        calls = [] if results else _calls(question, request.tools)
        text = _text(question, results=results, calls=calls)
        pause_s = SECONDS_PER_WORD if not calls and SLOWLY.search(question) else 0.0
        for piece in PIECES.findall(text) if request.on_text or pause_s else ():
            if request.on_text:
                request.on_text(piece)
            if pause_s and _is_stopped(request, pause_s):
                raise CallStopped(STOPPED)
        return LLMResponse(
            text=text,
            tool_calls=calls,
            content_blocks=[LLMContentBlock.text(text), *map(LLMContentBlock.tool_call, calls)],
            stop_reason="tool_call" if calls else "end_turn",
            usage=_usage(request, text),
            provider_metadata={"offline_demo": True},
        )


def _is_stopped(request: LLMRequest, seconds: float) -> bool:
    """Whether the caller's signal came within this time."""
    if request.stop:
        return request.stop.wait(seconds)
    time.sleep(seconds)
    return False


def _last_exchange(request: LLMRequest) -> tuple[str, list[str]]:
    """The last thing a person said, and the tool results since then."""
    question = ""
    results: list[str] = []
    for message in request.messages:
        text = " ".join(block.data["text"] for block in message.content if block.type == "text")
        if message.role == "user" and text:
            question, results = text, []
        results += [str(block.data.get("content", "")) for block in message.content if block.type == "tool_result"]
    return question, results


def _calls(question: str, tools: list[LLMToolDefinition]) -> list[LLMToolCall]:
    offered = {tool.name: tool for tool in tools}
    calls = []
    if "current_time" in offered and TIME_WORDS.search(question):
        calls.append(_call(question, "current_time", {}))
    expression = ARITHMETIC.search(question)
    if "calculate" in offered and expression:
        argument = _first_argument(offered["calculate"])
        calls.append(_call(question, "calculate", {argument: expression[0].strip()}))
    return calls or _named_calls(question, offered)


def _named_calls(question: str, offered: dict[str, LLMToolDefinition]) -> list[LLMToolCall]:
    """Tools that the message names, with the arguments that follow: `price_of fruit=apple`."""
    try:
        words = shlex.split(question)
    except ValueError:
        words = question.split()
    calls = []
    for place, word in enumerate(words):
        if word in offered:
            given = [part.partition("=") for part in takewhile(lambda part: "=" in part, words[place + 1 :])]
            arguments = {name: _value(offered[word], name, text) for name, _, text in given}
            calls.append(_call(f"{place} {question}", word, arguments))
    return calls


def _value(tool: LLMToolDefinition, name: str, text: str) -> object:
    kind = tool.parameters_json_schema.get("properties", {}).get(name, {}).get("type", "string")
    try:
        return text if kind == "string" else json.loads(text)
    except ValueError:
        return text


def _call(question: str, name: str, arguments: dict[str, Any]) -> LLMToolCall:
    digest = hashlib.sha256(f"{name}\x00{question}".encode()).hexdigest()[:12]
    return LLMToolCall(id=f"demo-{digest}", name=name, arguments=arguments)


def _first_argument(tool: LLMToolDefinition) -> str:
    names = tool.parameters_json_schema.get("required") or tool.parameters_json_schema.get("properties") or []
    return next(iter(names), "expression")


def _text(question: str, *, results: list[str], calls: list[LLMToolCall]) -> str:
    if results:
        return f"{NOTICE} The tools answered: {'; '.join(results)}"
    if calls:
        return f"{NOTICE} It now calls {' and '.join(call.name for call in calls)}."
    if slowly := SLOWLY.search(question):
        return f"{NOTICE} {' '.join(map(str, range(1, int(slowly[1] or USUAL_COUNT) + 1)))}"
    return f"{NOTICE} You wrote: {question}" if question else NOTICE


def _usage(request: LLMRequest, text: str) -> LLMTokenUsage:
    sent = json.dumps([message.as_dict() for message in request.messages]) + json.dumps(request.system)
    input_tokens = len(sent) // CHARACTERS_PER_TOKEN
    output_tokens = max(1, len(text) // CHARACTERS_PER_TOKEN)
    return LLMTokenUsage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=input_tokens + output_tokens,
        metadata={"estimated": True},
    )
