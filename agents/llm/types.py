"""The words in which the loop speaks with any model: requests, messages, blocks and answers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

from agents.stop_signal import StopSignal

Role = Literal["user", "assistant", "system", "tool"]
JSONObject = dict[str, Any]
OnText = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMToolCall:
    """One call that a model asked for; `invalid_arguments` holds the raw text when it was not a JSON object."""

    id: str
    name: str
    arguments: JSONObject = field(default_factory=dict)
    invalid_arguments: str | None = None

    def as_dict(self) -> JSONObject:
        data: JSONObject = {"id": self.id, "name": self.name, "arguments": self.arguments}
        if self.invalid_arguments is not None:
            data["invalid_arguments"] = self.invalid_arguments
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            id=data["id"],
            name=data["name"],
            arguments=data.get("arguments") or {},
            invalid_arguments=data.get("invalid_arguments"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMContentBlock:
    """One part of a message: `text`, `image`, `document`, `tool_call`, `tool_result`, or a vendor's own that passes through."""

    type: str
    data: JSONObject = field(default_factory=dict)

    @classmethod
    def text(cls, text: str) -> Self:
        return cls(type="text", data={"text": text})

    @classmethod
    def image(cls, *, media_type: str, data: str) -> Self:
        """`data` is base64."""
        return cls(type="image", data={"media_type": media_type, "data": data})

    @classmethod
    def document(cls, *, media_type: str, name: str, data: str) -> Self:
        """`data` is base64."""
        return cls(type="document", data={"media_type": media_type, "name": name, "data": data})

    @classmethod
    def tool_call(cls, call: LLMToolCall) -> Self:
        return cls(type="tool_call", data=call.as_dict())

    @classmethod
    def tool_result(cls, tool_call_id: str, content: str, *, is_error: bool = False) -> Self:
        return cls(type="tool_result", data={"tool_call_id": tool_call_id, "content": content, "is_error": is_error})

    def as_dict(self) -> JSONObject:
        return {"type": self.type, "data": self.data}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(type=data["type"], data=dict(data.get("data") or {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMMessage:
    role: Role
    content: list[LLMContentBlock]
    tool_call_id: str | None = None
    metadata: JSONObject = field(default_factory=dict)

    def as_dict(self) -> JSONObject:
        return {
            "role": self.role,
            "content": [block.as_dict() for block in self.content],
            "tool_call_id": self.tool_call_id,
            "metadata": self.metadata,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            role=data["role"],
            content=coerce_content_blocks(data["content"]),
            tool_call_id=data.get("tool_call_id"),
            metadata=dict(data.get("metadata") or {}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMToolDefinition:
    name: str
    description: str
    parameters_json_schema: JSONObject = field(default_factory=lambda: {"type": "object", "properties": {}})
    metadata: JSONObject = field(default_factory=dict)
    """Extra keys of the tool's definition, sent to the vendor as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMRequest:
    model: str
    messages: list[LLMMessage]
    system: str | list[JSONObject] | None = None
    tools: list[LLMToolDefinition] = field(default_factory=list)
    max_tokens: int = 4096
    temperature: float = 1.0
    use_prompt_caching: bool = True
    provider_options: JSONObject = field(default_factory=dict)
    app_id: str = "mash"
    """Whose call it is; keeps one agent's prompt cache together."""
    timeout_s: float | None = None
    """Longest time that the whole call may take; None: only each wait is limited."""
    on_text: OnText | None = None
    """Told each piece of the answer's text as it arrives; None: nobody listens."""
    stop: StopSignal | None = None
    """Ends the call early, with `CallStopped`."""
    output_schema: JSONObject | None = None
    """JSON Schema of the final answer, for vendors that can hold a model to it; the loop checks it in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMTokenUsage:
    """What a call cost; `input_tokens` includes cached ones for every vendor, None means the vendor did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    metadata: JSONObject = field(default_factory=dict)

    def as_dict(self) -> JSONObject:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{name: data[name] for name in cls.__dataclass_fields__ if name in data})


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMResponse:
    text: str = ""
    tool_calls: list[LLMToolCall] = field(default_factory=list)
    content_blocks: list[LLMContentBlock] = field(default_factory=list)
    stop_reason: str = "end_turn"
    usage: LLMTokenUsage = field(default_factory=LLMTokenUsage)
    provider_response: Any = None
    """The SDK's own object, for debugging in the process; never stored."""
    provider_metadata: JSONObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMCapabilities:
    beta_flags: bool = False
    reasoning_controls: bool = False
    server_tools: bool = False
    streaming: bool = False


class LLMProvider(Protocol):
    """A model behind one credential; `send` blocks its thread and raises only errors of `agents.llm.errors`."""

    @property
    def provider(self) -> str: ...

    @property
    def model(self) -> str: ...

    def send(self, request: LLMRequest) -> LLMResponse: ...

    def capabilities(self) -> LLMCapabilities: ...


Content = str | Mapping[str, Any] | LLMContentBlock | Iterable[str | Mapping[str, Any] | LLMContentBlock] | None


def coerce_content_blocks(content: Content) -> list[LLMContentBlock]:
    """Reads a string, our own blocks or a vendor's block dictionaries as content blocks."""
    if content is None:
        return []
    if isinstance(content, (str, Mapping, LLMContentBlock)):
        return [_coerce_block(content)]
    return [_coerce_block(part) for part in content]


def _coerce_block(part: str | Mapping[str, Any] | LLMContentBlock) -> LLMContentBlock:
    if isinstance(part, LLMContentBlock):
        return part
    if isinstance(part, str):
        return LLMContentBlock.text(part)
    if isinstance(part.get("data"), Mapping) and set(part) <= {"type", "data"}:
        return _coerce_names(part["type"], dict(part["data"]))
    return _coerce_names(part["type"], {key: value for key, value in part.items() if key != "type"})


def _coerce_names(block_type: str, data: JSONObject) -> LLMContentBlock:
    if block_type == "tool_use":
        block_type = "tool_call"
    if block_type == "tool_call" and "input" in data:
        data["arguments"] = data.pop("input")
    if block_type == "tool_result" and "tool_use_id" in data:
        data["tool_call_id"] = data.pop("tool_use_id")
    return LLMContentBlock(type=block_type, data=data)
