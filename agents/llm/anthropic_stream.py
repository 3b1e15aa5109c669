"""Puts the events of a streamed Claude answer together again.

The SDK has a reader of its own; it parses a tool's arguments anew with each piece, and loses those that are no JSON.
"""

from typing import Any

from agents.llm.tool_arguments import parsed_arguments
from agents.llm.types import JSONObject

# Deltas whose field is appended to the block's field of the same name
_GROWING = {"text_delta": "text", "thinking_delta": "thinking"}
_REPLACED = {"signature_delta": "signature", "compaction_delta": "content"}


class StreamedMessage:
    """The message so far."""

    def __init__(self) -> None:
        self._message: JSONObject = {}
        self._blocks: dict[int, JSONObject] = {}
        self._arguments: dict[int, str] = {}
        self.is_complete = False

    def add(self, event: Any) -> str:
        """Takes in one event and returns the text that it brought."""
        if event.type == "message_start":
            self._message = event.message.to_dict()
        elif event.type == "content_block_start":
            self._blocks[event.index] = event.content_block.to_dict()
        elif event.type == "content_block_delta":
            return self._grow(event.index, event.delta)
        elif event.type == "message_delta":
            self._end(event)
        elif event.type == "message_stop":
            self.is_complete = True
        return ""

    def as_dict(self) -> JSONObject:
        """What the same answer would have been in one piece."""
        for index, raw in self._arguments.items():
            self._blocks[index]["input"] = parsed_arguments(raw)
        return {**self._message, "content": [self._blocks[index] for index in sorted(self._blocks)]}

    def _grow(self, index: int, delta: Any) -> str:
        block = self._blocks[index]
        if delta.type in _GROWING:
            name = _GROWING[delta.type]
            block[name] = (block.get(name) or "") + getattr(delta, name)
        elif delta.type in _REPLACED:
            block[_REPLACED[delta.type]] = getattr(delta, _REPLACED[delta.type])
        elif delta.type == "input_json_delta":
            self._arguments[index] = self._arguments.get(index, "") + delta.partial_json
        elif delta.type == "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta.citation.to_dict()]
        return str(delta.text) if delta.type == "text_delta" else ""

    def _end(self, event: Any) -> None:
        self._message |= event.delta.to_dict()
        # Counts are totals; those that are left out stay as the start of the message told them.
        known = {name: value for name, value in event.usage.to_dict().items() if value is not None}
        self._message["usage"] = {**self._message["usage"], **known}
