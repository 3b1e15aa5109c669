"""Reads JSON bodies, and says where a bad one is bad."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser
from typing_extensions import override

from workspaces.api.envelope import InvalidBody

MAX_DEPTH = 100


class StrictJSONParser(BaseParser):
    """JSON in UTF-8, nested at most `MAX_DEPTH` deep; anything else is `VALIDATION_ERROR` with the place of the fault."""

    media_type = "application/json"

    @override
    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return read_json(stream.read())
        except BadJSON as error:
            place = {"type": "json_invalid", "loc": ["body", error.position], "msg": f"The body {error.fault}"}
            raise InvalidBody([place]) from error


class BadJSON(ValueError):
    """At `position`, in bytes or characters; `fault` goes on after the name of what was read."""

    def __init__(self, position: int, fault: str) -> None:
        super().__init__(fault)
        self.position = position
        self.fault = fault


def read_json(raw: bytes) -> Any:
    """What the parser takes, wherever it comes from. Raises `BadJSON`."""
    try:
        value = json.loads(raw, parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise BadJSON(error.start, "is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise BadJSON(error.pos, f"is not JSON: {error.msg}.") from error
    except (ValueError, RecursionError) as error:
        raise BadJSON(0, "is not JSON that can be read.") from error
    if _is_too_deep(raw, value):
        raise BadJSON(0, f"is nested more than {MAX_DEPTH} deep.")
    return value


def _is_too_deep(raw: bytes, value: Any) -> bool:
    """Whether the value would be too much for what walks through it later by recursion."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [child for each in level if isinstance(each, (dict, list)) for child in _children(each)]
    return bool(level)


def _children(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number
