"""Which JSON Schemas the vendors can hold a model to; any other is only checked by us, after the answer.

The vendors' subsets differ a little; this is what they share, so that one agent behaves alike on all of them.
"""

import re
from typing import Any

from agents.llm.types import JSONObject

NAME = "answer"
MAX_DEPTH = 5
MAX_PROPERTIES = 100
TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
KEYWORDS = frozenset({"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf"})
NOTES = frozenset({"title", "description", "$schema"})
WITHOUT_OUTPUT_SCHEMA = re.compile(r"gpt-3\.5|gpt-4(-|$)|gpt-4o-2024-05|chatgpt|o1-(mini|preview)")
CLAUDE_SINCE = (4, 5)


def is_strict(schema: JSONObject) -> bool:
    """Whether a vendor accepts it: an object at the root, every object closed, every property required."""
    counted = [0]
    return schema.get("type") == "object" and _is_strict(schema, counted, depth=0) and counted[0] <= MAX_PROPERTIES


def openai_takes_it(model: str) -> bool:
    return not WITHOUT_OUTPUT_SCHEMA.match(model)


def _is_strict(schema: Any, counted: list[int], *, depth: int) -> bool:
    if not isinstance(schema, dict) or depth > MAX_DEPTH or not set(schema) <= KEYWORDS | NOTES:
        return False
    if "anyOf" in schema:
        choices = schema["anyOf"]
        return isinstance(choices, list) and all(_is_strict(choice, counted, depth=depth) for choice in choices)
    kinds = schema.get("type")
    names = kinds if isinstance(kinds, list) else [kinds]
    if not all(isinstance(name, str) and name in TYPES for name in names):
        return False
    return _is_closed(schema, counted, depth) and ("array" not in names or _has_strict_items(schema, counted, depth))


def _is_closed(schema: JSONObject, counted: list[int], depth: int) -> bool:
    if "object" not in str(schema["type"]):
        return True
    properties = schema.get("properties")
    if not isinstance(properties, dict) or schema.get("additionalProperties") is not False:
        return False
    counted[0] += len(properties)
    is_complete = isinstance(schema.get("required"), list) and set(schema["required"]) == set(properties)
    return is_complete and all(_is_strict(part, counted, depth=depth + 1) for part in properties.values())


def _has_strict_items(schema: JSONObject, counted: list[int], depth: int) -> bool:
    return _is_strict(schema.get("items"), counted, depth=depth + 1)
