"""What the scripted model does next, read from the words of the last user text."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

WORD = re.compile(r'(?<!\S)([a-z_]+)=("[^"]*"|\S+)')
# These spoil one tool round; the model then goes on as it was told.
TOOL_FAILURES = frozenset({"unknown_tool", "bad_args", "missing_args", "truncated_tool"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The words of one message; `key` tells conversations apart where something is counted."""

    key: str
    latency: float = 0.0
    tools: int = 0
    calls: int = 1
    tool: str = ""
    arguments: tuple[dict[str, Any], ...] = ({},)
    """One for each call of a round; the first is for all when there are too few."""
    say: str = "ok"
    reason: bool = False
    failures: tuple[tuple[str, int | None], ...] = ()
    retry_after: str = ""
    trickle: float = 0.0
    """Seconds between the pieces of a streamed answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer of the model, before it takes a vendor's shape."""

    text: str = ""
    tool: str = ""
    tool_calls: tuple[tuple[str, str], ...] = ()
    """Pairs of call id and arguments as JSON text."""
    reasoning: str = ""
    is_truncated: bool = False
    is_refusal: bool = False


def read_script(text: str) -> Script:
    """Reads `tools=3 say=hello fail=429:2` and the like; every other word is only prose."""
    arguments, rest = _take_arguments(text)
    pairs = [(name, value.strip('"')) for name, value in WORD.findall(rest)]
    words = dict(pairs)
    return Script(
        key=words.get("key", text),
        latency=float(words.get("latency", 0)),
        tools=int(words.get("tools", 0)),
        calls=int(words.get("calls", 1)),
        tool=words.get("tool", ""),
        arguments=arguments,
        say=words.get("say", "ok"),
        reason="reason" in words,
        failures=tuple(_failure(value) for name, value in pairs if name == "fail"),
        retry_after=words.get("retry_after", ""),
        trickle=float(words.get("trickle", 0)),
    )


def _take_arguments(text: str) -> tuple[tuple[dict[str, Any], ...], str]:
    """`args={...}`, or `args=[{...}, {...}]` for several calls of a round.

    Cut out first: a delegated prompt may hold words of its own, which are for the subagent's call.
    """
    found = re.search(r"args=[{\[]", text)
    if found is None:
        return ({},), text
    start = found.start()
    arguments, length = json.JSONDecoder().raw_decode(text[start + len("args=") :])
    several = tuple(arguments) if isinstance(arguments, list) else (arguments,)
    return several, text[:start] + text[start + len("args=") + length :]


def _failure(value: str) -> tuple[str, int | None]:
    name, _, times = value.partition(":")
    if times:
        return name, int(times)
    return name, 1 if name in TOOL_FAILURES else None


def due_failure(script: Script, used: Counter[tuple[str, str]]) -> str | None:
    """The first failure that still has calls to spoil; counts this call against it."""
    for name, times in script.failures:
        if times is None:
            return name
        if used[script.key, name] < times:
            used[script.key, name] += 1
            return name
    return None


def next_reply(script: Script, *, failure: str | None, results: int, offered: list[str]) -> Reply:
    """The answer that comes after this many tool results since the user spoke."""
    reasoning = f"round {results}" if script.reason else ""
    if failure == "empty":
        return Reply()
    if failure == "refusal":
        return Reply(text="I will not help with that.", is_refusal=True)
    if failure in TOOL_FAILURES:
        return _spoiled_call(script, failure, results=results, offered=offered, reasoning=reasoning)
    done_rounds = results // max(1, script.calls)
    # Without tools, as in a compaction that quotes these words, there is only text to give.
    if done_rounds >= script.tools or not offered:
        return Reply(text=script.say, reasoning=reasoning)
    calls = tuple((f"call_{results + n}", _arguments(script, n)) for n in range(script.calls))
    return Reply(tool=_tool(script, offered), tool_calls=calls, reasoning=reasoning)


def _spoiled_call(script: Script, failure: str, *, results: int, offered: list[str], reasoning: str) -> Reply:
    tool = "no_such_tool" if failure == "unknown_tool" else _tool(script, offered)
    spoiled = {"bad_args": '{"broken": ', "missing_args": "{}"}
    arguments = spoiled.get(failure, _arguments(script, 0))
    return Reply(
        tool=tool,
        tool_calls=((f"call_spoiled_{results}", arguments),),
        reasoning=reasoning,
        is_truncated=failure == "truncated_tool",
    )


def _arguments(script: Script, place: int) -> str:
    return json.dumps(script.arguments[place if place < len(script.arguments) else 0])


def _tool(script: Script, offered: list[str]) -> str:
    return script.tool or (offered[0] if offered else "no_tool_offered")
