"""Tool arguments on their way in from a model and back out to it."""

import json
from typing import Any

from agents.llm.types import JSONObject, LLMToolCall

INVALID_KEY = "__invalid_json__"
MAX_DEPTH = 64
MAX_INVALID_CHARACTERS = 64 * 1024


def tool_call(*, call_id: str, name: str, raw: Any) -> LLMToolCall:
    """Keeps arguments that are not a JSON object as text, so that the model can be told."""
    arguments = _as_object(raw)
    if arguments is not None and not _is_too_deep(arguments) and _is_text(arguments):
        return LLMToolCall(id=call_id, name=name, arguments=arguments)
    text = raw if isinstance(raw, str) else repr(raw)
    return LLMToolCall(id=call_id, name=name, invalid_arguments=text[:MAX_INVALID_CHARACTERS])


def parsed_arguments(raw: str) -> Any:
    """What a vendor that parses them itself gives: an object, or the text where it is none."""
    arguments = _as_object(raw)
    return raw if arguments is None else arguments


def _as_object(raw: Any) -> JSONObject | None:
    if raw is None or raw == "":
        # How some servers spell a call without arguments.
        return {}
    try:
        value = json.loads(raw) if isinstance(raw, str) else raw
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _is_text(arguments: JSONObject) -> bool:
    """Whether it can be sent again: half of a surrogate pair is no text to any provider."""
    try:
        json.dumps(arguments, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_too_deep(value: Any) -> bool:
    """Whether it is nested deeper than any tool needs and than stores and validators can follow. Without recursion itself."""
    level = [value]
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        inner = (part.values() if isinstance(part, dict) else part for part in level if isinstance(part, (dict, list)))
        level = [item for items in inner for item in items]
    return bool(level)


def arguments_to_send(data: JSONObject) -> JSONObject:
    """What to show as the arguments of an earlier call: vendors accept only JSON objects there."""
    if data.get("invalid_arguments") is not None:
        return {INVALID_KEY: data["invalid_arguments"]}
    return dict(data.get("arguments") or {})


def result_text(data: JSONObject) -> str:
    """A tool result as plain text for APIs that have no field for a failure."""
    content = data.get("content", "")
    text = content if isinstance(content, str) else json.dumps(content)
    if data.get("is_error") and not text.lower().startswith("error"):
        return f"Error: {text}"
    return text
