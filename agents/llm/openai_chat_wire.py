"""Requests and answers in the shape of Chat Completions, as OpenAI and many other servers speak it."""

import json
from typing import Any

from openai.types.chat import ChatCompletion

from agents.llm import openai_models
from agents.llm.errors import Refused
from agents.llm.tool_arguments import arguments_to_send, result_text, tool_call
from agents.llm.types import (
    JSONObject,
    LLMContentBlock,
    LLMMessage,
    LLMRequest,
    LLMResponse,
    LLMTokenUsage,
    LLMToolCall,
    LLMToolDefinition,
)

# Where compatible servers put a model's thinking; they want it back under the same name.
THINKING_FIELDS = ("reasoning_content", "reasoning", "reasoning_details")
STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "end_turn", "function_call": "end_turn"}


def request_body(request: LLMRequest, model: str, *, is_openai: bool) -> JSONObject:
    body: JSONObject = {"model": model, "messages": _messages(request)}
    if openai_models.is_reasoning_model(model):
        body["max_completion_tokens"] = request.max_tokens
    else:
        body["max_tokens"] = request.max_tokens
        body["temperature"] = request.temperature
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if is_openai:
        # Other servers may refuse fields that they do not know.
        body |= openai_models.cache_fields(request, model)
    if output_format := openai_models.output_format(request, model):
        body["response_format"] = {"type": "json_schema", "json_schema": output_format}
    return body


def _tool(tool: LLMToolDefinition) -> JSONObject:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters_json_schema,
        **tool.metadata,
    }
    return {"type": "function", "function": function}


def _messages(request: LLMRequest) -> list[JSONObject]:
    system = openai_models.instructions(request.system)
    first: list[JSONObject] = [{"role": "system", "content": system}] if system else []
    return first + [sent for message in request.messages for sent in _message(message)]


def _message(message: LLMMessage) -> list[JSONObject]:
    results = [
        {
            "role": "tool",
            "tool_call_id": block.data.get("tool_call_id") or message.tool_call_id,
            "content": result_text(block.data),
        }
        for block in message.content
        if block.type == "tool_result"
    ]
    text = "".join(block.data["text"] for block in message.content if block.type == "text")
    if message.role == "assistant":
        return [_assistant(message, text)]
    attached = [_attached(block) for block in message.content if block.type in ("image", "document")]
    if attached:
        return [*results, {"role": "user", "content": [*attached, *([{"type": "text", "text": text}] if text else [])]}]
    if not text:
        return results
    return [*results, {"role": "system" if message.role == "system" else "user", "content": text}]


def _attached(block: LLMContentBlock) -> JSONObject:
    url = openai_models.data_url(block)
    if block.type == "image":
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "file", "file": {"filename": block.data.get("name") or "document.pdf", "file_data": url}}


def _assistant(message: LLMMessage, text: str) -> JSONObject:
    sent: JSONObject = {"role": "assistant", "content": text}
    for block in message.content:
        if block.type == "reasoning":
            sent |= {name: block.data[name] for name in THINKING_FIELDS if name in block.data}
    calls = [_call(block.data) for block in message.content if block.type == "tool_call"]
    if calls:
        sent |= {"tool_calls": calls, "content": text or None}
    return sent


def _call(data: JSONObject) -> JSONObject:
    function = {"name": data["name"], "arguments": json.dumps(arguments_to_send(data))}
    return {"id": data["id"], "type": "function", "function": function}


def read_answer(completion: ChatCompletion) -> LLMResponse:
    choice = completion.choices[0]
    usage = _usage(completion.usage)
    if choice.message.refusal:
        raise Refused(choice.message.refusal, details={"usage": usage.as_dict()})
    blocks = _blocks(choice.message)
    calls = [LLMToolCall.from_dict(block.data) for block in blocks if block.type == "tool_call"]
    stop_reason = STOP_REASONS.get(choice.finish_reason, choice.finish_reason) or "end_turn"
    return LLMResponse(
        text=(choice.message.content or "").strip(),
        tool_calls=calls,
        content_blocks=blocks,
        stop_reason="tool_call" if calls and stop_reason == "end_turn" else stop_reason,
        usage=usage,
        provider_response=completion,
        provider_metadata={"id": completion.id, "model": completion.model},
    )


def _blocks(message: Any) -> list[LLMContentBlock]:
    thinking = {name: value for name in THINKING_FIELDS if (value := (message.model_extra or {}).get(name))}
    blocks = [LLMContentBlock(type="reasoning", data=thinking)] if thinking else []
    if message.content:
        blocks.append(LLMContentBlock.text(message.content))
    for call in message.tool_calls or []:
        read = tool_call(call_id=call.id, name=call.function.name, raw=call.function.arguments)
        blocks.append(LLMContentBlock.tool_call(read))
    return blocks


def _usage(usage: Any) -> LLMTokenUsage:
    if usage is None:
        return LLMTokenUsage()
    return LLMTokenUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        cache_read_tokens=getattr(usage.prompt_tokens_details, "cached_tokens", None),
        cache_write_tokens=getattr(usage.prompt_tokens_details, "cache_write_tokens", None),
        reasoning_tokens=getattr(usage.completion_tokens_details, "reasoning_tokens", None),
    )
