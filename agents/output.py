"""Structured output: an answer that must be JSON of a given schema (extensions 3)."""

import json
import re
from collections.abc import Mapping
from typing import Any

from agents.json_schema import faults_of

_FENCED = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\Z", re.DOTALL)


class InvalidOutput(ValueError):
    """The text is no JSON, or not of the schema; the message tells the model what is wrong."""


def read_output(text: str, schema: Mapping[str, Any]) -> Any:
    """The answer as JSON; models like to wrap theirs in a code fence, which is taken off."""
    fenced = _FENCED.match(text.strip())
    try:
        value = json.loads(fenced.group(1) if fenced else text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidOutput(f"it is not valid JSON ({str(error)[:200]})") from error
    if faults := faults_of(schema, value):
        raise InvalidOutput("; ".join(faults))
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
