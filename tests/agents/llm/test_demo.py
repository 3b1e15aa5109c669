"""The provider that works without a key and says so."""

from typing import Any

import pytest

from agents.llm import LLMContentBlock, LLMMessage, LLMResponse, LLMToolDefinition, create_provider
from agents.llm.demo import NOTICE
from tests.agents.llm.conftest import ask, user

CLOCK = LLMToolDefinition(name="current_time", description="Tells the time.")
CALCULATOR = LLMToolDefinition(
    name="calculate",
    description="Calculates.",
    parameters_json_schema={"type": "object", "properties": {"formula": {"type": "string"}}, "required": ["formula"]},
)


def answer(text: str, **fields: Any) -> LLMResponse:
    return create_provider("demo").send(ask(text, **{"tools": [CLOCK, CALCULATOR], **fields}))


@pytest.mark.parametrize("text", ["Hello", "What time is it?", "2+2", ""])
def test_every_answer_says_that_no_model_was_asked(text):
    assert answer(text).text.startswith(NOTICE)


def test_it_asks_the_clock_for_the_time():
    response = answer("What time is it?")
    assert [call.name for call in response.tool_calls] == ["current_time"]
    assert response.stop_reason == "tool_call"


@pytest.mark.parametrize(
    ("text", "expression"),
    [("What is 12 * (3 + 4)?", "12 * (3 + 4)"), ("compute -2.5/5 please", "-2.5/5"), ("Hello 42", None)],
)
def test_it_hands_arithmetic_to_the_calculator(text, expression):
    assert [call.arguments for call in answer(text).tool_calls] == ([{"formula": expression}] if expression else [])


def test_it_calls_a_tool_that_the_message_names_with_its_arguments():
    tool = LLMToolDefinition(
        name="order",
        description="Orders.",
        parameters_json_schema={
            "type": "object",
            "properties": {"fruit": {"type": "string"}, "boxes": {"type": "integer"}},
        },
    )
    [call] = answer('please order fruit="red apple" boxes=2 soon', tools=[tool]).tool_calls
    assert (call.name, call.arguments) == ("order", {"fruit": "red apple", "boxes": 2})


def test_it_calls_only_tools_that_are_offered():
    response = answer("What time is it, and what is 2+2?", tools=[])
    assert response.tool_calls == []
    assert response.stop_reason == "end_turn"


def test_it_answers_from_the_tool_results():
    question = "What is 2+2?"
    first = answer(question)
    messages = [
        user(question),
        LLMMessage(role="assistant", content=first.content_blocks),
        LLMMessage(role="tool", content=[LLMContentBlock.tool_result(first.tool_calls[0].id, "4")]),
    ]
    last = answer("", messages=messages)
    assert last.text == f"{NOTICE} The tools answered: 4"
    assert last.tool_calls == []


def test_equal_questions_get_equal_answers():
    assert answer("What is 2+2?") == answer("What is 2+2?")
