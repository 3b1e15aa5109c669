"""Requests and answers in the shape of Anthropic's Messages API."""

import re
from typing import Any

from anthropic.types import Message
from anthropic.types.beta import BetaMessage

from agents.llm import output_schema
from agents.llm.errors import Refused
from agents.llm.tool_arguments import arguments_to_send, tool_call
from agents.llm.types import (
    JSONObject,
    LLMContentBlock,
    LLMMessage,
    LLMRequest,
    LLMResponse,
    LLMTokenUsage,
    LLMToolCall,
)

CACHE_MARK = {"type": "ephemeral"}
# The vendor's limit, for all of a request.
MOST_CACHE_MARKS = 4
MESSAGE_CACHE_MARKS = 2
OTHER_VENDORS_BLOCKS = frozenset({"reasoning"})
GENERATION = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?!\d)")
# Cut off either way; the loop must not run a call that may be incomplete.
STOP_REASONS = {"model_context_window_exceeded": "max_tokens"}
LAST_WITH_TEMPERATURE = (4, 6)
LAST_WITH_PREFILL = (4, 5)


def request_body(request: LLMRequest, model: str) -> JSONObject:
    messages = _messages(request, model)
    body: JSONObject = {"model": model, "max_tokens": request.max_tokens, "messages": messages}
    if request.system:
        body["system"] = _system(request.system, cached=request.use_prompt_caching)
    if request.tools:
        body["tools"] = _tools(request)
    if request.use_prompt_caching:
        _mark_messages(messages, MOST_CACHE_MARKS - _count_marks(body))
    if request.output_schema and output_schema.is_strict(request.output_schema) and _takes_output_schema(model):
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.output_schema}}
    return body


def extra_body(request: LLMRequest, model: str) -> JSONObject:
    """What the SDK has no argument for: sampling for models that still take it, and options of the agent."""
    extra = {name: value for name, value in request.provider_options.items() if name != "betas"}
    # Extended thinking allows only the default temperature.
    if request.temperature != 1.0 and "thinking" not in extra and _takes_temperature(model):
        extra.setdefault("temperature", request.temperature)
    return extra


def _takes_output_schema(model: str) -> bool:
    generation = _generation(model)
    return generation is not None and generation >= output_schema.CLAUDE_SINCE


def _generation(model: str) -> tuple[int, int] | None:
    found = GENERATION.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else None


def _takes_temperature(model: str) -> bool:
    generation = _generation(model)
    return generation is None or generation <= LAST_WITH_TEMPERATURE


def _takes_prefill(model: str) -> bool:
    generation = _generation(model)
    return generation is not None and generation <= LAST_WITH_PREFILL


def _system(system: str | list[JSONObject], *, cached: bool) -> str | list[JSONObject]:
    if not cached:
        return system
    blocks: list[JSONObject] = [{"type": "text", "text": system}] if isinstance(system, str) else list(system)
    blocks[-1] = {"cache_control": CACHE_MARK, **blocks[-1]}
    return blocks


def _mark_messages(messages: list[JSONObject], free: int) -> None:
    """Marks the end of what was said, and where the call before this one ended, from where this one reads.

    The vendor finds a prefix again within some twenty blocks of a mark, and one step with many tool calls has more.
    """
    said = [message["content"] for message in messages if message["role"] == "user"]
    for content in said[-MESSAGE_CACHE_MARKS:][::-1][: max(0, free)]:
        if "cache_control" not in content[-1]:
            content[-1] = {**content[-1], "cache_control": CACHE_MARK}


def _count_marks(body: JSONObject) -> int:
    """The marks of the agent's own blocks count, too."""
    messages = [block for message in body["messages"] for block in message["content"]]
    system = body.get("system")
    return sum("cache_control" in part for part in [*(system or []), *body.get("tools", []), *messages])


def _tools(request: LLMRequest) -> list[JSONObject]:
    tools: list[JSONObject] = [
        {
            "name": tool.name,
            "description": tool.description,
            "input_schema": tool.parameters_json_schema,
            **tool.metadata,
        }
        for tool in request.tools
    ]
    if request.use_prompt_caching:
        tools[-1] = {"cache_control": CACHE_MARK, **tools[-1]}
    return tools


def _messages(request: LLMRequest, model: str) -> list[JSONObject]:
    messages = [sent for message in request.messages if (sent := _message(message))["content"]]
    if messages and messages[-1]["role"] == "assistant":
        _close_partial_answer(messages, model)
    return messages


def _close_partial_answer(messages: list[JSONObject], model: str) -> None:
    """A text that was cut off is continued; newer models want a user's word for that."""
    last = messages[-1]["content"][-1]
    if last["type"] != "text":
        # A turn that the vendor paused goes on from its own tool's block, as it stands.
        return
    if _takes_prefill(model):
        last["text"] = last["text"].rstrip()
    else:
        messages.append({"role": "user", "content": [{"type": "text", "text": "Continue where you stopped."}]})


def _message(message: LLMMessage) -> JSONObject:
    content = [sent for block in message.content if (sent := _block(block, message)) is not None]
    return {"role": "assistant" if message.role == "assistant" else "user", "content": content}


def _block(block: LLMContentBlock, message: LLMMessage) -> JSONObject | None:
    data = block.data
    if block.type == "text":
        # The API refuses blank text.
        return {"type": "text", "text": data["text"]} if data["text"].strip() else None
    if block.type in ("image", "document") and "data" in data:
        return _attached(block)
    if block.type == "tool_call":
        return {"type": "tool_use", "id": data["id"], "name": data["name"], "input": arguments_to_send(data)}
    if block.type == "tool_result":
        is_error = bool(data.get("is_error"))
        # The API refuses a failure without words.
        content = data.get("content") or ("The tool failed." if is_error else "")
        call_id = data.get("tool_call_id") or message.tool_call_id
        return {"type": "tool_result", "tool_use_id": call_id, "content": content, "is_error": is_error}
    if block.type in OTHER_VENDORS_BLOCKS:
        return None
    return {"type": block.type, **data}


def _attached(block: LLMContentBlock) -> JSONObject:
    source = {"type": "base64", "media_type": block.data["media_type"], "data": block.data["data"]}
    title = {"title": block.data["name"]} if block.data.get("name") else {}
    return {"type": block.type, "source": source, **title}


def read_answer(message: Message | BetaMessage) -> LLMResponse:
    blocks = [read for block in message.content if (read := _read_block(block)) is not None]
    text = "".join(block.data["text"] for block in blocks if block.type == "text").strip()
    usage = _usage(message.usage)
    if message.stop_reason == "refusal":
        explanation = getattr(message.stop_details, "explanation", None)
        raise Refused(
            text or explanation or "The model declined to answer.",
            details={"usage": usage.as_dict()},
        )
    return LLMResponse(
        text=text,
        tool_calls=[LLMToolCall.from_dict(block.data) for block in blocks if block.type == "tool_call"],
        content_blocks=blocks,
        stop_reason=STOP_REASONS.get(message.stop_reason or "", message.stop_reason or "end_turn"),
        usage=usage,
        provider_response=message,
        provider_metadata={"id": message.id, "model": message.model, "stop_reason": message.stop_reason},
    )


def _read_block(block: Any) -> LLMContentBlock | None:
    if block.type == "text":
        return LLMContentBlock.text(block.text) if block.text else None
    if block.type == "tool_use":
        return LLMContentBlock.tool_call(tool_call(call_id=block.id, name=block.name, raw=block.input))
    # Thinking must come back exactly as it was given, so the fields are kept as they were sent.
    data = block.to_dict()
    return LLMContentBlock(type=data.pop("type"), data=data)


def _usage(usage: Any) -> LLMTokenUsage:
    read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    # This vendor counts only what was not cached; ours counts all that was read.
    input_tokens = usage.input_tokens + read + written
    return LLMTokenUsage(
        input_tokens=input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=input_tokens + usage.output_tokens,
        cache_read_tokens=usage.cache_read_input_tokens,
        cache_write_tokens=usage.cache_creation_input_tokens,
        reasoning_tokens=getattr(usage.output_tokens_details, "thinking_tokens", None),
        metadata={"uncached_input_tokens": usage.input_tokens},
    )
