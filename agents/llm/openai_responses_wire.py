"""Requests and answers in the shape of OpenAI's Responses API."""

import json
from typing import Any

from openai.types.responses import Response

from agents.llm import openai_models
from agents.llm.errors import LLMError, Overloaded, RateLimited, Refused, RequestRejected
from agents.llm.failures import POLICY_CODES
from agents.llm.tool_arguments import arguments_to_send, result_text, tool_call
from agents.llm.types import (
    JSONObject,
    LLMContentBlock,
    LLMMessage,
    LLMRequest,
    LLMResponse,
    LLMTokenUsage,
    LLMToolCall,
)

OTHER_VENDORS_BLOCKS = frozenset({"thinking", "redacted_thinking"})


def request_body(request: LLMRequest, model: str) -> JSONObject:
    body: JSONObject = {
        "model": model,
        "input": [item for message in request.messages for item in _items(message)],
        "max_output_tokens": request.max_tokens,
        **openai_models.cache_fields(request, model),
    }
    if instructions := openai_models.instructions(request.system):
        body["instructions"] = instructions
    if request.tools:
        body["tools"] = _tools(request)
    if openai_models.is_reasoning_model(model):
        # Without its encrypted form the model's thinking is lost where the vendor may not store it.
        body["include"] = ["reasoning.encrypted_content"]
    else:
        body["temperature"] = request.temperature
    if output_format := openai_models.output_format(request, model):
        body["text"] = {"format": {"type": "json_schema", **output_format}}
    return body


def _tools(request: LLMRequest) -> list[JSONObject]:
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters_json_schema,
            **tool.metadata,
        }
        for tool in request.tools
    ]


def _items(message: LLMMessage) -> list[JSONObject]:
    items = [item for block in message.content if (item := _item(block, message)) is not None]
    while items and items[-1]["type"] == "reasoning":
        # The API refuses thinking whose outcome is gone, as after a call that the loop dropped.
        items.pop()
    return items


def _item(block: LLMContentBlock, message: LLMMessage) -> JSONObject | None:
    data = block.data
    if block.type == "text":
        return _text_item(message.role, data)
    if block.type in ("image", "document") and "data" in data:
        return {"type": "message", "role": "user", "content": [_attached(block)]}
    if block.type == "tool_call":
        arguments = json.dumps(arguments_to_send(data))
        return {"type": "function_call", "call_id": data["id"], "name": data["name"], "arguments": arguments}
    if block.type == "tool_result":
        call_id = data.get("tool_call_id") or message.tool_call_id
        return {"type": "function_call_output", "call_id": call_id, "output": result_text(data)}
    if block.type in OTHER_VENDORS_BLOCKS or (block.type == "reasoning" and "id" not in data):
        return None
    return {"type": block.type, **data}


def _attached(block: LLMContentBlock) -> JSONObject:
    url = openai_models.data_url(block)
    if block.type == "image":
        return {"type": "input_image", "image_url": url, "detail": "auto"}
    return {"type": "input_file", "filename": block.data.get("name") or "document.pdf", "file_data": url}


def _text_item(role: str, data: JSONObject) -> JSONObject:
    is_assistant = role == "assistant"
    content = {"type": "output_text" if is_assistant else "input_text", "text": data["text"]}
    item = {"type": "message", "role": "user" if role == "tool" else role, "content": [content]}
    if is_assistant and data.get("phase"):
        item["phase"] = data["phase"]
    return item


def read_answer(response: Response, usage: LLMTokenUsage) -> LLMResponse:
    blocks = [block for item in response.output for block in _read_item(item)]
    calls = [LLMToolCall.from_dict(block.data) for block in blocks if block.type == "tool_call"]
    return LLMResponse(
        text="".join(block.data["text"] for block in blocks if block.type == "text").strip(),
        tool_calls=calls,
        content_blocks=blocks,
        stop_reason=_stop_reason(response, has_calls=bool(calls)),
        usage=usage,
        provider_response=response,
        provider_metadata={"id": response.id, "model": response.model},
    )


def failure(response: Response, usage: LLMTokenUsage) -> LLMError | None:
    """Answers with status 200 that are none: the vendor failed midway, or the model declined."""
    refusals = [
        part.refusal
        for item in response.output
        if item.type == "message"
        for part in item.content
        if part.type == "refusal"
    ]
    if refusals:
        return Refused("".join(refusals), details={"usage": usage.as_dict()})
    if response.status != "failed" or response.error is None:
        return None
    code = response.error.code
    kinds: dict[str, type[LLMError]] = {"server_error": Overloaded, "rate_limit_exceeded": RateLimited}
    kind = Refused if code in POLICY_CODES else kinds.get(code, RequestRejected)
    return kind(response.error.message, details={"provider_code": code, "usage": usage.as_dict()})


def _read_item(item: Any) -> list[LLMContentBlock]:
    if item.type == "message":
        phase = {"phase": item.phase} if item.phase else {}
        texts = [part.text for part in item.content if part.type == "output_text" and part.text]
        return [LLMContentBlock(type="text", data={"text": text, **phase}) for text in texts]
    if item.type == "function_call":
        call = tool_call(call_id=item.call_id or item.id, name=item.name, raw=item.arguments)
        return [LLMContentBlock.tool_call(call)]
    # Fields without a value are refused when they come back.
    data = {name: value for name, value in item.to_dict().items() if value is not None}
    return [LLMContentBlock(type=data.pop("type"), data=data)]


def _stop_reason(response: Response, *, has_calls: bool) -> str:
    reason = response.incomplete_details.reason if response.incomplete_details else None
    if response.status == "incomplete" and reason == "max_output_tokens":
        # Before the calls: the last of them may be cut off, and the loop must not run it.
        return "max_tokens"
    if has_calls:
        return "tool_call"
    if response.status == "incomplete":
        return reason or "incomplete"
    return "error" if response.status == "failed" else "end_turn"


def read_usage(response: Response) -> LLMTokenUsage:
    usage: Any = response.usage
    if usage is None:
        return LLMTokenUsage()
    read, written = usage.input_tokens_details, usage.output_tokens_details
    return LLMTokenUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
        cache_read_tokens=getattr(read, "cached_tokens", None),
        cache_write_tokens=getattr(read, "cache_write_tokens", None) or getattr(read, "cache_creation_tokens", None),
        reasoning_tokens=getattr(written, "reasoning_tokens", None),
    )
