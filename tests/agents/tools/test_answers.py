"""Arguments are checked before, results bounded after; both are the model's to read."""

import json
import time
from typing import Any

import pytest

from agents.tools.base import FunctionTool, Tool, ToolResult
from agents.tools.call import call_tool
from agents.tools.function import function_tool
from agents.tools.registry import ToolRegistry
from tests.agents.tools.conftest import Call


def answering(result: Any) -> Tool:
    return FunctionTool("answer", "", {"type": "object"}, lambda args: result)


def taking(schema: dict[str, object]) -> Tool:
    return FunctionTool("take", "", schema, lambda args: ToolResult.success("taken"))


TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({}, "'text' is a required property"),
        ({"text": None}, "$.text: must not be null"),
        ({"text": ""}, "$.text: must not be blank"),
        ({"text": " \n"}, "$.text: must not be blank"),
        ({"text": 7}, "$.text: 7 is not of type 'string'"),
    ],
)
def test_wrong_arguments_are_told_to_the_model(call: Call, args: dict[str, object], told: str) -> None:
    result = call(taking(TEXT), **args)
    assert result.is_error
    assert told in result.content


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"properties": 7},
        {"$ref": "http://127.0.0.1:9/schema"},
        {"properties": {"text": {"pattern": 7}}},
    ],
)
def test_a_foreign_schema_that_makes_no_sense_is_told(call: Call, schema: dict[str, object]) -> None:
    result = call(taking(schema), text="x")
    assert "schema" in result.content
    assert result.is_error


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"text": {"pattern": "^(a+)+$"}}},
        {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
    ],
)
def test_a_foreign_expression_cannot_stop_the_process(call: Call, schema: dict[str, object]) -> None:
    began = time.monotonic()
    call(taking(schema), text="a" * 40 + "b", **{"a" * 40 + "b": 1})
    assert time.monotonic() - began < 10


def test_patterns_are_checked(call: Call) -> None:
    tool = taking({"properties": {"text": {"pattern": "^a+$"}}})
    assert call(tool, text="aaa").content == "taken"
    assert "does not match" in call(tool, text="aab").content


def test_half_characters_do_not_reach_the_model(call: Call) -> None:
    assert call(answering(ToolResult.success("n\udcff.txt"))).content == "n?.txt"


def test_64_kb_of_utf_8_are_kept_and_more_is_cut(call: Call) -> None:
    whole = "é" * (32 * 1024)
    assert call(answering(ToolResult.success(whole))).content == whole
    cut = call(answering(ToolResult.success(f"{whole}é"))).content
    assert cut.startswith(f"{whole}\n[cut: 65538 bytes")


@pytest.mark.parametrize(
    ("metadata", "kept"),
    [
        ({"exit_code": 1}, {"exit_code": 1}),
        ({"path": ValueError("x")}, {"path": "x"}),
        ({"big": "x" * 9000}, {"metadata_omitted": "9011 bytes"}),
        ({("a", "b"): 1}, {"metadata_omitted": "not JSON"}),
        (["a"], {"metadata_omitted": "not an object"}),
    ],
)
def test_metadata_is_small_json(call: Call, metadata: object, kept: object) -> None:
    result = call(answering(ToolResult("text", metadata=metadata)))
    assert result.metadata == kept
    json.dumps(result.metadata)


@pytest.mark.parametrize("outcome", [None, "text", 7])
def test_an_answer_that_is_no_result_is_an_error(call: Call, outcome: object) -> None:
    assert "in place of a ToolResult" in call(answering(outcome)).content


def test_whatever_a_tool_raises_is_told(call: Call) -> None:
    def leave() -> str:
        """Leave."""
        raise SystemExit("bye")

    async def fail() -> str:
        """Fail."""
        raise KeyError("key")

    assert call(function_tool(leave)) == ToolResult.error("SystemExit: bye")
    assert call(function_tool(fail)) == ToolResult.error("KeyError: 'key'")


def test_the_tools_facts_are_kept() -> None:
    def work() -> str:
        """Work."""
        return ""

    facts = {
        "requires_approval": True,
        "parallel_safe": True,
        "crash_policy": "ask",
        "timeout_s": 5,
        "run_in_process": True,
    }
    schema = {"type": "object"}
    for tool in (function_tool(work, **facts), FunctionTool("work", "", schema, lambda args: ToolResult(""), **facts)):
        assert {name: getattr(tool, name) for name in facts} == facts


def test_an_unknown_tool_is_told(context) -> None:
    result = call_tool(ToolRegistry([answering("")]), "other", {}, invalid_arguments=None, context=context)
    assert result == ToolResult.error("There is no tool named 'other'. Available: answer.")
