"""Foreign schemas: all of draft 2020-12 that we say we check, in linear time and without fetching anything."""

import time
from typing import Any

import pytest

from agents.json_schema import faults_of

NAMED = {
    "properties": {"a": {"type": "integer"}},
    "patternProperties": {"^x_": {"type": "string"}},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "value", "is_valid"),
    [
        (NAMED, {"a": 1, "x_b": "s"}, True),
        (NAMED, {"x_b": 2}, False),
        (NAMED, {"y": 2}, False),
        ({"additionalProperties": {"type": "string"}}, {"q": 1}, False),
        ({"properties": {"a": {}}, "unevaluatedProperties": False}, {"b": 1}, False),
        ({"pattern": "^a+$"}, "aab", False),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, 7, True),
        ({"$ref": "http://127.0.0.1:9/elsewhere.json"}, 7, False),
    ],
)
def test_values_are_held_against_the_schema(schema: dict[str, Any], value: Any, is_valid: bool) -> None:
    assert (faults_of(schema, value) == []) is is_valid


def test_a_hostile_pattern_takes_no_time() -> None:
    began = time.monotonic()
    assert faults_of({"pattern": "^(a+)+$"}, "a" * 5000 + "b")
    assert time.monotonic() - began < 1
