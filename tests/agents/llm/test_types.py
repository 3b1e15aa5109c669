"""Content blocks as they are read from outside and from the log."""

import json
import subprocess
import sys

import pytest

from agents.llm import LLMContentBlock, LLMMessage, LLMTokenUsage, LLMToolCall, coerce_content_blocks


@pytest.mark.parametrize(
    ("content", "block_type", "data"),
    [
        ("hi", "text", {"text": "hi"}),
        ({"type": "text", "text": "hi"}, "text", {"text": "hi"}),
        ({"type": "text", "data": {"text": "hi"}}, "text", {"text": "hi"}),
        (
            {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
            "tool_call",
            {"id": "1", "name": "f", "arguments": {"a": 1}},
        ),
        (
            {"type": "tool_result", "tool_use_id": "1", "content": "x"},
            "tool_result",
            {"tool_call_id": "1", "content": "x"},
        ),
        ({"type": "redacted_thinking", "data": "sealed"}, "redacted_thinking", {"data": "sealed"}),
    ],
)
def test_blocks_are_read_from_every_known_shape(content, block_type, data):
    assert coerce_content_blocks(content) == [LLMContentBlock(type=block_type, data=data)]
    assert coerce_content_blocks([content, "more"])[1] == LLMContentBlock.text("more")


def test_nothing_is_no_blocks():
    assert coerce_content_blocks(None) == []


def test_a_message_survives_the_log():
    call = LLMToolCall(id="1", name="f", invalid_arguments="{")
    blocks = [
        LLMContentBlock(type="redacted_thinking", data={"data": "sealed"}),
        LLMContentBlock.tool_call(call),
        LLMContentBlock.tool_result("1", "x", is_error=True),
    ]
    message = LLMMessage(role="assistant", content=blocks, metadata={"turn_id": "t"})
    assert LLMMessage.from_dict(json.loads(json.dumps(message.as_dict()))) == message
    assert LLMToolCall.from_dict(blocks[1].data) == call


def test_usage_survives_the_log():
    usage = LLMTokenUsage(input_tokens=3, reasoning_tokens=1, metadata={"a": 1})
    assert LLMTokenUsage.from_dict(json.loads(json.dumps(usage.as_dict()))) == usage


def test_the_words_of_the_loop_load_neither_django_nor_an_sdk():
    code = "import sys, agents.llm; print([m for m in ('django', 'anthropic', 'openai') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
