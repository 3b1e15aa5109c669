"""Foreign schemas: all of draft 2020-12 that we say we check, in linear time and without fetching anything."""

import time
from typing import Any

import pytest

from agents.json_schema import faults_of, schema_fault

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


DOUBLING = {
    "$ref": "#/$defs/d0",
    "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)} | {"d40": {}},
}
HIDDEN_PATTERN = {
    "$ref": "#/$defs/named",
    "$defs": {"named": {"patternProperties": {"^(a+)+$": {}}}},
    "unevaluatedProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": "^(a+)+$"}, "a" * 5000 + "b"),
        (DOUBLING, {}),
        (DOUBLING | {"unevaluatedProperties": False}, {"a": 1}),
        ({"multipleOf": 0.1}, 10**400),
    ],
)
def test_a_hostile_schema_takes_no_time_and_holds_nobody_up(schema: dict[str, Any], value: Any) -> None:
    began = time.monotonic()
    assert faults_of(schema, value)
    assert time.monotonic() - began < 10


def test_names_are_never_looked_for_with_expressions_that_backtrack() -> None:
    began = time.monotonic()
    faults_of(HIDDEN_PATTERN, {"a" * 40 + "b": 1})
    assert time.monotonic() - began < 10


def test_what_is_nested_too_deeply_is_no_schema() -> None:
    schema: dict[str, Any] = {}
    for _ in range(2000):
        schema = {"not": schema}
    assert schema_fault(schema)
