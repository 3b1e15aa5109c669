"""The scripted model's conversations and answers in the three vendor formats."""

import json
from dataclasses import dataclass
from typing import Any

from benchmarks.model_script import Reply

JSONObject = dict[str, Any]
CHARACTERS_PER_TOKEN = 4
CACHED_SHARE = 0.8
ANTHROPIC_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
OPENAI_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the script needs to know of a request, whichever format it came in."""

    path: str
    model: str
    text: str
    results: int
    offered: list[str]
    stream: bool
    input_tokens: int
    is_cached: bool
    fields: frozenset[str]


def read_call(path: str, body: JSONObject, size: int) -> Call:
    messages = body.get("input") if path == "/v1/responses" else body.get("messages")
    text, results = _last_exchange([{"role": "user", "content": messages}] if isinstance(messages, str) else messages)
    return Call(
        path=path,
        model=body.get("model", "scripted"),
        text=text,
        results=results,
        offered=[_tool_name(tool) for tool in body.get("tools") or []],
        stream=bool(body.get("stream")),
        input_tokens=size // CHARACTERS_PER_TOKEN,
        is_cached=_asks_for_cache(body),
        fields=frozenset(body),
    )


def _last_exchange(messages: list[JSONObject] | None) -> tuple[str, int]:
    """Walks back from the end: conversations are long, and the last user text is near."""
    results = 0
    for message in reversed(messages or []):
        results += _results_in(message)
        if message.get("role") == "user" and (text := _text_of(message.get("content"))):
            return text, results
    return "", results


def _results_in(message: JSONObject) -> int:
    if message.get("type") == "function_call_output" or message.get("role") == "tool":
        return 1
    content = message.get("content")
    if not isinstance(content, list):
        return 0
    return sum(part.get("type") == "tool_result" for part in content)


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [] if part.get("type") in ("text", "input_text"))


def _tool_name(tool: JSONObject) -> str:
    name = tool.get("name") or tool.get("function", {}).get("name", "")
    return str(name)


def _asks_for_cache(body: JSONObject) -> bool:
    if "prompt_cache_key" in body:
        return True
    system = body.get("system")
    marked = [*(system if isinstance(system, list) else []), *(body.get("tools") or [])]
    return any("cache_control" in part for part in marked)


def answer(call: Call, reply: Reply, number: int) -> JSONObject:
    if call.path == "/v1/messages":
        return _anthropic(call, reply, number)
    if call.path == "/v1/responses":
        return _responses(call, reply, number)
    return _chat(call, reply, number)


def error(path: str, status: int, message: str, code: str | None = None) -> JSONObject:
    if path == "/v1/messages":
        kind = ANTHROPIC_ERRORS.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_scripted"}
    kind = "server_error" if status >= 500 else "invalid_request_error"
    code = code or OPENAI_CODES.get(status)
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def context_error(path: str) -> JSONObject:
    """Too long a conversation, in each vendor's own words."""
    if path == "/v1/messages":
        return error(path, 400, "prompt is too long: 215301 tokens > 200000 maximum")
    if path == "/v1/responses":
        words = "Your input exceeds the context window of this model. Please adjust your input and try again."
        return error(path, 400, words, "context_length_exceeded")
    words = "This model's maximum context length is 128000 tokens. However, your messages resulted in 215301 tokens."
    return error(path, 400, words, "context_length_exceeded")


def _output_tokens(reply: Reply) -> int:
    written = reply.text + reply.reasoning + "".join(arguments for _, arguments in reply.tool_calls)
    return 1 + len(written) // CHARACTERS_PER_TOKEN


def _cache(call: Call) -> tuple[int, int]:
    """Tokens read from and written to the cache: the first round of a turn fills it, later ones read it."""
    if not call.is_cached:
        return 0, 0
    share = int(call.input_tokens * CACHED_SHARE)
    return (share, 0) if call.results else (0, share)


def _anthropic(call: Call, reply: Reply, number: int) -> JSONObject:
    read, written = _cache(call)
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": call.model,
        "content": _anthropic_content(reply),
        "stop_reason": _anthropic_stop_reason(reply),
        "stop_sequence": None,
        "usage": {
            "input_tokens": call.input_tokens - read - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "output_tokens": _output_tokens(reply),
            "service_tier": "standard",
        },
    }


def _anthropic_content(reply: Reply) -> list[JSONObject]:
    content: list[JSONObject] = []
    if reply.reasoning:
        content.append({"type": "thinking", "thinking": reply.reasoning, "signature": f"signed {reply.reasoning}"})
        content.append({"type": "redacted_thinking", "data": f"sealed {reply.reasoning}"})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    for call_id, arguments in reply.tool_calls:
        content.append({"type": "tool_use", "id": call_id, "name": reply.tool, "input": _loads_or_text(arguments)})
    return content


def _loads_or_text(arguments: str) -> Any:
    """Arguments that are no JSON can reach the client here only as a string where an object belongs."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _anthropic_stop_reason(reply: Reply) -> str:
    if reply.is_refusal:
        return "refusal"
    if reply.is_truncated:
        return "max_tokens"
    return "tool_use" if reply.tool_calls else "end_turn"


def _responses(call: Call, reply: Reply, number: int) -> JSONObject:
    read, written = _cache(call)
    output_tokens = _output_tokens(reply)
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": 1_700_000_000,
        "model": call.model,
        "status": "incomplete" if reply.is_truncated else "completed",
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if reply.is_truncated else None,
        "output": _responses_output(reply, number),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": call.input_tokens,
            "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
            "output_tokens": output_tokens,
            "output_tokens_details": {"reasoning_tokens": len(reply.reasoning) // CHARACTERS_PER_TOKEN},
            "total_tokens": call.input_tokens + output_tokens,
        },
    }


def _responses_output(reply: Reply, number: int) -> list[JSONObject]:
    output: list[JSONObject] = []
    if reply.reasoning:
        sealed = f"sealed {reply.reasoning}"
        output.append({"type": "reasoning", "id": f"rs_{number}", "summary": [], "encrypted_content": sealed})
    if reply.text:
        part = (
            {"type": "refusal", "refusal": reply.text}
            if reply.is_refusal
            else {"type": "output_text", "text": reply.text, "annotations": []}
        )
        message = {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed"}
        output.append({**message, "content": [part]})
    for call_id, arguments in reply.tool_calls:
        call = {"type": "function_call", "id": f"fc_{call_id}", "call_id": call_id, "name": reply.tool}
        output.append({**call, "arguments": arguments, "status": "completed"})
    return output


def _chat(call: Call, reply: Reply, number: int) -> JSONObject:
    read, _ = _cache(call)
    output_tokens = _output_tokens(reply)
    message: JSONObject = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if reply.is_refusal:
        message |= {"content": None, "refusal": reply.text}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": reply.tool, "arguments": arguments}}
            for call_id, arguments in reply.tool_calls
        ]
    finish_reason = "tool_calls" if reply.tool_calls else "stop"
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": call.model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "length" if reply.is_truncated else finish_reason,
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": call.input_tokens,
            "completion_tokens": output_tokens,
            "total_tokens": call.input_tokens + output_tokens,
            "prompt_tokens_details": {"cached_tokens": read},
            "completion_tokens_details": {"reasoning_tokens": len(reply.reasoning) // CHARACTERS_PER_TOKEN},
        },
    }
