"""A whole scripted answer cut into the server-sent events of its vendor."""

import json
import re
from collections.abc import Iterator
from typing import Any

JSONObject = dict[str, Any]
SLICE_BYTES = 20
PIECES = re.compile(r"\S+\s*|\s+")


def frames(path: str, body: JSONObject) -> list[bytes]:
    if path == "/v1/chat/completions":
        chunks = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in _chat(body)]
        return [*chunks, b"data: [DONE]\n\n"]
    events = _anthropic(body) if path == "/v1/messages" else _responses(body)
    return [b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode()) for event in events]


def slices(body: JSONObject) -> list[bytes]:
    """An answer in one piece that comes slowly."""
    text = json.dumps(body).encode()
    return [text[start : start + SLICE_BYTES] for start in range(0, len(text), SLICE_BYTES)]


def error_frame(path: str) -> bytes:
    """How a vendor says in the middle of an answer that it has too much to do."""
    if path == "/v1/chat/completions":
        return b"data: " + json.dumps({"error": {"message": "Overloaded", "code": 529}}).encode() + b"\n\n"
    error: JSONObject = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    if path == "/v1/responses":
        error = {"type": "error", "code": "server_error", "message": "Overloaded", "param": None, "sequence_number": 9}
    return b"event: error\ndata: " + json.dumps(error).encode() + b"\n\n"


def _anthropic(body: JSONObject) -> Iterator[JSONObject]:
    started = {**body, "content": [], "stop_reason": None, "usage": {**body["usage"], "output_tokens": 1}}
    yield {"type": "message_start", "message": started}
    for index, block in enumerate(body["content"]):
        empty, deltas = _anthropic_block(block)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": body["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": body["usage"]["output_tokens"]}}
    yield {"type": "message_stop"}


def _anthropic_block(block: JSONObject) -> tuple[JSONObject, list[JSONObject]]:
    if block["type"] == "text":
        return {"type": "text", "text": ""}, [{"type": "text_delta", "text": part} for part in _pieces(block["text"])]
    if block["type"] == "thinking":
        deltas = [
            {"type": "thinking_delta", "thinking": block["thinking"]},
            {"type": "signature_delta", "signature": block["signature"]},
        ]
        return {"type": "thinking", "thinking": "", "signature": ""}, deltas
    if block["type"] == "tool_use":
        raw = block["input"] if isinstance(block["input"], str) else json.dumps(block["input"])
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": raw}]
    return block, []


def _responses(body: JSONObject) -> Iterator[JSONObject]:
    for number, event in enumerate(_responses_events(body)):
        yield {**event, "sequence_number": number}


def _responses_events(body: JSONObject) -> Iterator[JSONObject]:
    yield {"type": "response.created", "response": {**body, "status": "in_progress", "output": [], "usage": None}}
    for index, item in enumerate(body["output"]):
        at = {"output_index": index, "item_id": item["id"]}
        yield {"type": "response.output_item.added", "output_index": index, "item": {**item, "status": "in_progress"}}
        if item["type"] == "function_call":
            yield {"type": "response.function_call_arguments.delta", "delta": item["arguments"], **at}
        for part in item.get("content", []):
            if part["type"] == "output_text":
                yield from _responses_text(part["text"], {**at, "content_index": 0})
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{body['status']}", "response": body}


def _responses_text(text: str, at: JSONObject) -> Iterator[JSONObject]:
    empty = {"type": "output_text", "text": "", "annotations": []}
    yield {"type": "response.content_part.added", "part": empty, **at}
    for piece in _pieces(text):
        yield {"type": "response.output_text.delta", "delta": piece, "logprobs": [], **at}
    yield {"type": "response.output_text.done", "text": text, "logprobs": [], **at}
    yield {"type": "response.content_part.done", "part": {**empty, "text": text}, **at}


def _chat(body: JSONObject) -> Iterator[JSONObject]:
    choice = body["choices"][0]
    message = choice["message"]
    head = {**{name: body[name] for name in ("id", "created", "model")}, "object": "chat.completion.chunk"}
    deltas: list[JSONObject] = [{"role": "assistant", "content": ""}]
    deltas += [{name: message[name]} for name in ("reasoning_content", "refusal") if message.get(name)]
    deltas += [{"content": piece} for piece in _pieces(message["content"] or "")]
    deltas += [{"tool_calls": [{"index": n, **call}]} for n, call in enumerate(message.get("tool_calls", []))]
    for delta in deltas:
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    yield {**head, "choices": [], "usage": body["usage"]}


def _pieces(text: str) -> list[str]:
    return PIECES.findall(text)
