"""Puts the chunks of a streamed chat completion together again, also those of servers that imitate OpenAI's.

The SDK's own reader copies the whole answer with every chunk and refuses what other servers send.
"""

from typing import Any

from agents.llm.openai_chat_wire import THINKING_FIELDS
from agents.llm.types import JSONObject

_GROWING = frozenset({"text", "summary", "data"})


class StreamedCompletion:
    """The first choice so far."""

    def __init__(self) -> None:
        self._head: JSONObject = {}
        self._texts: dict[str, list[str]] = {"content": [], "refusal": []}
        self._thinking: JSONObject = {}
        self._calls: list[JSONObject] = []
        self._finish_reason: str | None = None
        self._usage: JSONObject | None = None

    @property
    def is_complete(self) -> bool:
        return self._finish_reason is not None

    def add(self, chunk: Any) -> str:
        """Takes in one chunk and returns the text that it brought."""
        if not self._head:
            self._head = {"id": chunk.id, "created": chunk.created, "model": chunk.model}
        if chunk.usage is not None:
            # Some servers repeat the running total in every chunk.
            self._usage = chunk.usage.to_dict()
        for choice in chunk.choices or ():
            if choice.index in (0, None):
                self._finish_reason = choice.finish_reason or self._finish_reason
                return self._grow(choice.delta) if choice.delta is not None else ""
        return ""

    def as_dict(self) -> JSONObject:
        """What the same answer would have been in one piece."""
        message: JSONObject = {name: "".join(parts) or None for name, parts in self._texts.items()}
        calls = [{name: value for name, value in call.items() if name != "index"} for call in self._calls]
        message |= {"role": "assistant", **self._thinking, "tool_calls": calls or None}
        choice = {"index": 0, "message": message, "finish_reason": self._finish_reason, "logprobs": None}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage}

    def _grow(self, delta: Any) -> str:
        for name, parts in self._texts.items():
            if piece := getattr(delta, name):
                parts.append(piece)
        for name in THINKING_FIELDS:
            if piece := (delta.model_extra or {}).get(name):
                self._thinking[name] = _grown(self._thinking.get(name), piece)
        for part in delta.tool_calls or ():
            self._grow_call(part)
        return delta.content or ""

    def _grow_call(self, part: Any) -> None:
        call = self._call_of(part)
        function = call["function"]
        call["id"] = call["id"] or part.id or ""
        if part.function is not None:
            function["name"] = function["name"] or part.function.name or ""
            function["arguments"] += part.function.arguments or ""

    def _call_of(self, part: Any) -> JSONObject:
        """The call that the piece belongs to: by index, but some servers give none, or the same to every call."""
        same = [call for call in self._calls if part.index is None or call["index"] == part.index]
        if same and (not part.id or same[-1]["id"] == part.id):
            return same[-1]
        function = {"name": "", "arguments": ""}
        call: JSONObject = {"index": part.index, "id": part.id or "", "type": "function", "function": function}
        self._calls.append(call)
        return call


def _grown(before: Any, piece: Any) -> Any:
    """Thinking comes as text or as a list of parts, which are numbered."""
    if before is None and not isinstance(piece, list):
        return piece
    if isinstance(piece, str) and isinstance(before, str):
        return before + piece
    if not isinstance(piece, list):
        return before
    parts: list[Any] = list(before or [])
    for part in piece:
        if parts and _continues(parts[-1], part):
            parts[-1] = {name: _joined(name, parts[-1].get(name), part.get(name)) for name in {**parts[-1], **part}}
        else:
            parts.append(part)
    return parts


def _continues(last: Any, part: Any) -> bool:
    is_numbered = isinstance(last, dict) and isinstance(part, dict) and part.get("index") is not None
    return is_numbered and (last.get("index"), last.get("type")) == (part["index"], part.get("type"))


def _joined(name: str, before: Any, piece: Any) -> Any:
    if name in _GROWING and isinstance(before, str) and isinstance(piece, str):
        return before + piece
    return before if piece is None else piece
