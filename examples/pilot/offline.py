"""A provider without a model, with which the pilot shows delegation, approval and file tools to people without a key."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from textwrap import indent
from typing import Any

from agents.llm import (
    LLMCapabilities,
    LLMContentBlock,
    LLMRequest,
    LLMResponse,
    LLMTokenUsage,
    LLMToolCall,
)
from agents.tools.ask_user import ASK_USER
from agents.tools.subagent import INVOKE_SUBAGENT

NOTICE = "[offline guide: no model is configured, these are file look-ups]"
_NOTE = re.compile(r"\bnotes?\b", re.IGNORECASE)
_ASK_ME = re.compile(r"\bask me\b", re.IGNORECASE)
_READ = re.compile(r"\bread\s+(\S*[\w/])", re.IGNORECASE)
_SEARCH = re.compile(r"\b(find|search|where|which)\b", re.IGNORECASE)
_DEFINITION = re.compile(r"(async def|def|class) ")
_WORD = re.compile(r"[A-Za-z_]{4,}")
_MATCH = re.compile(r"^(?P<path>[^:\n]+):(?P<line>\d+): (?P<text>.*)$", re.MULTILINE)
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "about agent also answer code copilot does file find from have help into note please read room search show tell that "
        "them runtime agents telemetry workflows there these they this what when where which will with work works would write your",
    )
)
_MAX_WORDS = 8
_LINES = 14
_LINES_BEFORE = 3
# So that Markdown shows it as it stands
_AS_CODE = "    "
_TITLE = 60


@dataclass(frozen=True, slots=True)
class Exchange:
    """The last thing a person said, and the calls and results since then."""

    question: str
    results: dict[str, list[str]] = field(default_factory=dict)
    """By the tool's name, in order."""


class OfflineGuide:
    provider = "offline"
    model = "offline-guide"

    def capabilities(self) -> LLMCapabilities:
        return LLMCapabilities()

    def send(self, request: LLMRequest) -> LLMResponse:
        """Takes the next step that plain words in the message ask for; equal input, equal answer."""
        exchange = _last_exchange(request)
        schemas = {tool.name: tool.parameters_json_schema for tool in request.tools}
        calls = _next_calls(exchange, schemas)
        text = NOTICE if calls else f"{NOTICE}\n\n{_answer(exchange, schemas)}"
        return LLMResponse(
            text=text,
            tool_calls=calls,
            content_blocks=[LLMContentBlock.text(text), *map(LLMContentBlock.tool_call, calls)],
            stop_reason="tool_call" if calls else "end_turn",
            usage=LLMTokenUsage(input_tokens=0, output_tokens=0, total_tokens=0),
            provider_metadata={"offline": True},
        )


def _last_exchange(request: LLMRequest) -> Exchange:
    exchange, names = Exchange(""), dict[str, str]()
    for message in request.messages:
        said = " ".join(block.data["text"] for block in message.content if block.type == "text")
        if message.role == "user" and said:
            exchange = Exchange(said)
        for block in message.content:
            if block.type == "tool_call":
                names[block.data["id"]] = block.data["name"]
            elif block.type == "tool_result":
                results = exchange.results.setdefault(names.get(block.data["tool_call_id"], ""), [])
                results.append(str(block.data.get("content", "")))
    return exchange


def _next_calls(exchange: Exchange, schemas: dict[str, Any]) -> list[LLMToolCall]:
    """Ask, delegate or look up, then note; each once."""
    question, done = exchange.question, exchange.results
    if ASK_USER in schemas and ASK_USER not in done and _ASK_ME.search(question):
        return [_call(exchange, ASK_USER, question="Which copilot shall answer?", options=_copilots(schemas))]
    asked = [name for name in _copilots(schemas) if _names(f"{question} {done.get(ASK_USER, [])}", name)]
    if asked and INVOKE_SUBAGENT not in done:
        return [_call(exchange, INVOKE_SUBAGENT, agent_id=name, prompt=question) for name in asked]
    if not asked and (call := _look_up(exchange, schemas)):
        return [call]
    if "write_note" in schemas and "write_note" not in done and _NOTE.search(question):
        return [_call(exchange, "write_note", title=question[:_TITLE], text=_findings(exchange))]
    return []


def _look_up(exchange: Exchange, schemas: dict[str, Any]) -> LLMToolCall | None:
    """`read <path>` opens that file; a copilot, or the pilot when told to, opens the best match of a search."""
    question, done = exchange.question, exchange.results
    if "read_file" not in schemas or "read_file" in done:
        return None
    if named := _READ.search(question):
        return _call(exchange, "read_file", path=named[1], line_count=_LINES)
    if _copilots(schemas) and not _SEARCH.search(question):
        return None
    words = _keywords(question)
    if "search_files" not in done:
        pattern = "|".join(words)
        return _call(exchange, "search_files", pattern=pattern, glob="*.py", ignore_case=True) if words else None
    best = _best_match(done["search_files"][-1], words)
    if best is None:
        return None
    path, line = best
    return _call(exchange, "read_file", path=path, start_line=max(1, line - _LINES_BEFORE), line_count=_LINES)


def _best_match(matches: str, words: list[str]) -> tuple[str, int] | None:
    """The file and line in which most of the words occur, the file's name included; a definition before other lines."""

    def count(match: re.Match[str]) -> tuple[int, bool]:
        found = f"{match['path']} {match['text']}".lower()
        return sum(word in found for word in words), bool(_DEFINITION.match(match["text"]))

    best = max(_MATCH.finditer(matches), key=count, default=None)
    return (best["path"], int(best["line"])) if best else None


def _keywords(question: str) -> list[str]:
    words = dict.fromkeys(word.lower() for word in _WORD.findall(question))
    return [word for word in words if word not in _COMMON][:_MAX_WORDS]


def _copilots(schemas: dict[str, Any]) -> list[str]:
    return list(schemas[INVOKE_SUBAGENT]["properties"]["agent_id"]["enum"]) if INVOKE_SUBAGENT in schemas else []


def _names(text: str, agent_id: str) -> bool:
    """Whether the text speaks of `runtime-copilot`, or of the runtime copilot."""
    return agent_id.replace("-", " ") in text.lower().replace("-", " ")


def _call(exchange: Exchange, name: str, **arguments: Any) -> LLMToolCall:
    told = json.dumps([exchange.question, sorted(exchange.results.items()), name, arguments])
    return LLMToolCall(id=f"offline-{hashlib.sha256(told.encode()).hexdigest()[:12]}", name=name, arguments=arguments)


def _answer(exchange: Exchange, schemas: dict[str, Any]) -> str:
    said, copilots = _findings(exchange), _copilots(schemas)
    if noted := exchange.results.get("write_note"):
        return f"{said}\n\nThe note: {noted[-1]}"
    return said if exchange.results or not copilots else f"{said}\n{_help(copilots)}"


def _findings(exchange: Exchange) -> str:
    results = exchange.results
    if told := results.get(INVOKE_SUBAGENT):
        return "\n\n".join(f"A copilot answered: {_subagents_text(result)}" for result in told)
    found = [results[name][-1] for name in ("read_file", "search_files") if name in results]
    return f"The files say:\n\n{indent(found[0], _AS_CODE)}" if found else f"You wrote: {exchange.question}"


def _subagents_text(result: str) -> str:
    try:
        told = json.loads(result)
    except ValueError:
        return result
    return str(told.get("text") or told.get("error") or result) if isinstance(told, dict) else result


def _help(copilots: list[str]) -> str:
    return (
        f"Try: 'ask the {copilots[0].replace('-', ' ')} ...', 'ask me which copilot ...', 'read README.md', 'find ...', or any of "
        "these with 'and note it', which needs your approval."
    )
