"""What exactly is sent to each vendor."""

from itertools import pairwise
from typing import Any

import pytest

from agents.llm import LLMContentBlock, LLMMessage, LLMProvider
from benchmarks.model_server import ModelServer
from tests.agents.llm.conftest import SEARCH, ask, user

ONE_MARK = {"type": "ephemeral"}


def sent_by(provider: LLMProvider, server: ModelServer, **fields: Any) -> dict[str, Any]:
    provider.send(ask("say=ok", **fields))
    body: dict[str, Any] = server.requests()[-1]["body"]
    return body


def test_claude_gets_cache_marks_on_system_and_last_tool(provider_of, server):
    body = sent_by(provider_of("anthropic"), server, system="Be brief.", tools=[SEARCH, SEARCH])
    assert body["system"] == [{"type": "text", "text": "Be brief.", "cache_control": ONE_MARK}]
    assert [tool.get("cache_control") for tool in body["tools"]] == [None, ONE_MARK]
    assert body["tools"][0]["input_schema"] == SEARCH.parameters_json_schema
    assert body["messages"][-1]["content"][-1]["cache_control"] == ONE_MARK


def marked(body: dict[str, Any]) -> list[int]:
    """The places of the messages that end with a cache mark."""
    return [n for n, message in enumerate(body["messages"]) if "cache_control" in message["content"][-1]]


def rounds(count: int, *, calls: int = 1) -> list[LLMMessage]:
    """A conversation after so many rounds of tools."""
    messages = [user("say=ok")]
    for n in range(count):
        names = [f"c{n}-{call}" for call in range(calls)]
        asked = [
            LLMContentBlock(type="tool_call", data={"id": name, "name": "search", "arguments": {}}) for name in names
        ]
        told = [LLMContentBlock.tool_result(name, "found") for name in names]
        messages += [LLMMessage(role="assistant", content=asked), LLMMessage(role="tool", content=told)]
    return messages


def test_each_step_of_a_tool_loop_reads_what_the_one_before_it_has_written(provider_of, server):
    provider = provider_of("anthropic")
    bodies = [sent_by(provider, server, system="Be brief.", messages=rounds(count, calls=12)) for count in range(4)]
    assert [marked(body) for body in bodies] == [[0], [0, 2], [2, 4], [4, 6]]
    for before, body in pairwise(bodies):
        # The last mark of one call is the first of the next, so that call finds its prefix there.
        assert marked(before)[-1] == marked(body)[0]
    assert str(bodies[-1]).count("cache_control") == 4


def test_there_are_never_more_marks_than_the_vendor_takes(provider_of, server):
    own = [{"type": "text", "text": text, "cache_control": ONE_MARK} for text in ("a", "b")]
    body = sent_by(provider_of("anthropic"), server, system=own, messages=rounds(3))
    assert str(body).count("cache_control") == 4
    assert marked(body) == [6]


def test_the_cache_key_is_the_same_in_every_step(provider_of, server):
    provider = provider_of("openai")
    keys = {sent_by(provider, server, messages=rounds(count))["prompt_cache_key"] for count in range(3)}
    assert len(keys) == 1


STRICT = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "size": {"type": ["integer", "null"]}},
    "required": ["city", "size"],
    "additionalProperties": False,
}


def schema_in(kind: str, body: dict[str, Any]) -> Any:
    """The schema that the vendor is told to hold the model to."""
    if kind == "anthropic":
        return body.get("output_config", {}).get("format", {}).get("schema")
    if kind == "openai":
        return body.get("text", {}).get("format", {}).get("schema")
    return body.get("response_format", {}).get("json_schema", {}).get("schema")


def test_a_strict_schema_goes_to_the_vendor(provider, kind, server):
    body = sent_by(provider, server, output_schema=STRICT)
    assert schema_in(kind, body) == STRICT


@pytest.mark.parametrize(
    "change",
    [
        {"additionalProperties": True},
        {"required": ["city"]},
        {"minProperties": 1},
        {"type": "array"},
        {"properties": {"city": {"type": "string", "pattern": "x"}, "size": {"type": "integer"}}},
        {"properties": {"city": {"type": "object"}, "size": {"type": "integer"}}},
    ],
)
def test_a_schema_that_a_vendor_would_refuse_is_left_out(provider, kind, server, change):
    assert schema_in(kind, sent_by(provider, server, output_schema={**STRICT, **change})) is None


@pytest.mark.parametrize(("kind", "model"), [("anthropic", "claude-3-haiku-20240307"), ("openai", "gpt-4-turbo")])
def test_models_that_take_no_schema_get_none(provider_of, server, kind, model):
    assert schema_in(kind, sent_by(provider_of(kind), server, model=model, output_schema=STRICT)) is None


ATTACHED = LLMMessage(
    role="user",
    content=[
        LLMContentBlock.image(media_type="image/png", data="aW1n"),
        LLMContentBlock.document(media_type="application/pdf", name="report.pdf", data="cGRm"),
        LLMContentBlock.text("say=ok"),
    ],
)
IMAGE_URL, PDF_URL = "data:image/png;base64,aW1n", "data:application/pdf;base64,cGRm"


def test_claude_gets_images_and_documents(provider_of, server):
    body = sent_by(provider_of("anthropic"), server, messages=[ATTACHED], use_prompt_caching=False)
    image, document, text = body["messages"][0]["content"]
    assert image == {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aW1n"}}
    source = {"type": "base64", "media_type": "application/pdf", "data": "cGRm"}
    assert document == {"type": "document", "source": source, "title": "report.pdf"}
    assert text["text"] == "say=ok"


def test_openai_gets_images_and_documents(provider_of, server):
    items = sent_by(provider_of("openai"), server, messages=[ATTACHED])["input"]
    assert [item["content"][0] for item in items] == [
        {"type": "input_image", "image_url": IMAGE_URL, "detail": "auto"},
        {"type": "input_file", "filename": "report.pdf", "file_data": PDF_URL},
        {"type": "input_text", "text": "say=ok"},
    ]


def test_a_compatible_server_gets_images_and_documents(provider_of, server):
    [message] = sent_by(provider_of("openai_chat"), server, messages=[ATTACHED])["messages"]
    assert message["content"] == [
        {"type": "image_url", "image_url": {"url": IMAGE_URL}},
        {"type": "file", "file": {"filename": "report.pdf", "file_data": PDF_URL}},
        {"type": "text", "text": "say=ok"},
    ]


def test_a_cache_mark_of_the_agent_is_kept(provider_of, server):
    mark = {"type": "ephemeral", "ttl": "1h"}
    body = sent_by(
        provider_of("anthropic"), server, system=[{"type": "text", "text": "Be brief.", "cache_control": mark}]
    )
    assert body["system"][-1]["cache_control"] == mark


def test_nothing_is_marked_when_caching_is_off(provider, server):
    body = sent_by(provider, server, system="Be brief.", use_prompt_caching=False)
    assert "cache" not in str(body)


def test_openai_gets_the_same_cache_key_for_the_same_agent(provider_of, server):
    first = sent_by(provider_of("openai"), server, system="Be brief.", app_id="helper")
    second = sent_by(provider_of("openai"), server, system="Be brief.", app_id="helper")
    other = sent_by(provider_of("openai"), server, system="Be long.", app_id="helper")
    assert first["prompt_cache_key"] == second["prompt_cache_key"] == "helper:gpt-5-mini:30c19bfb4e9787dc"
    assert first["prompt_cache_key"] != other["prompt_cache_key"]
    assert first["prompt_cache_retention"] == "24h"


def test_a_long_app_id_keeps_the_cache_key_within_the_vendors_limit(provider_of, server):
    body = sent_by(provider_of("openai"), server, app_id="a" * 100)
    assert len(body["prompt_cache_key"]) == 64


def test_a_compatible_server_gets_no_cache_fields(provider_of, server):
    assert "prompt_cache_key" not in sent_by(provider_of("openai_chat"), server)


@pytest.mark.parametrize(
    ("kind", "model", "sent"),
    [
        ("anthropic", "claude-haiku-4-5-20251001", 0.0),
        ("anthropic", "claude-haiku-4-20250514", 0.0),
        ("anthropic", "claude-opus-4-8", None),
        ("anthropic", "claude-opus-5", None),
        ("openai", "gpt-4.1-mini", 0.0),
        ("openai", "gpt-5-mini", None),
        ("openai", "o3", None),
        ("openai_chat", "qwen3", 0.0),
        ("openai_chat", "gpt-5", None),
    ],
)
def test_temperature_goes_only_to_models_that_take_it(provider_of, server, kind, model, sent):
    assert sent_by(provider_of(kind), server, model=model, temperature=0.0).get("temperature") == sent


def test_the_usual_temperature_is_not_sent_to_claude(provider_of, server):
    assert "temperature" not in sent_by(provider_of("anthropic"), server)


def test_options_of_the_agent_reach_the_body(provider, server):
    body = sent_by(provider, server, provider_options={"metadata": {"user_id": "u1"}})
    assert body["metadata"] == {"user_id": "u1"}


def test_betas_go_through_the_beta_api(provider_of, server):
    provider_of("anthropic").send(ask("say=ok", provider_options={"betas": ["some-beta"]}))
    assert server.requests()[-1]["headers"]["anthropic-beta"] == "some-beta"
    assert "betas" not in server.requests()[-1]["body"]


def test_extra_keys_of_a_tool_are_sent(provider, server):
    tool = type(SEARCH)(name="search", description="Searches.", metadata={"strict": True})
    assert "'strict': True" in str(sent_by(provider, server, tools=[tool])["tools"])


def failed_tool_conversation() -> list[LLMMessage]:
    return [
        user("say=ok"),
        LLMMessage(
            role="assistant",
            content=[
                LLMContentBlock(type="tool_call", data={"id": "c1", "name": "search", "arguments": {"query": "x"}})
            ],
        ),
        LLMMessage(role="tool", content=[LLMContentBlock.tool_result("c1", "disk full", is_error=True)]),
    ]


def test_a_failed_tool_is_told_to_claude_in_its_own_field(provider_of, server):
    conversation = failed_tool_conversation()
    body = sent_by(provider_of("anthropic"), server, messages=conversation, use_prompt_caching=False)
    result = {"type": "tool_result", "tool_use_id": "c1", "content": "disk full", "is_error": True}
    assert body["messages"][2] == {"role": "user", "content": [result]}


def test_a_failed_tool_is_told_to_openai_in_the_text(provider_of, server):
    body = sent_by(provider_of("openai"), server, messages=failed_tool_conversation())
    assert body["input"][2] == {"type": "function_call_output", "call_id": "c1", "output": "Error: disk full"}


def test_a_failed_tool_is_told_to_a_compatible_server_in_the_text(provider_of, server):
    body = sent_by(provider_of("openai_chat"), server, messages=failed_tool_conversation())
    assert body["messages"][2] == {"role": "tool", "tool_call_id": "c1", "content": "Error: disk full"}


@pytest.mark.parametrize(("model", "last_role"), [("claude-haiku-4-5", "assistant"), ("claude-opus-5", "user")])
def test_a_cut_off_answer_is_continued_as_the_model_allows(provider_of, server, model, last_role):
    partial = LLMMessage(role="assistant", content=[LLMContentBlock.text("It is ")])
    body = sent_by(provider_of("anthropic"), server, model=model, messages=[user("say=ok"), partial])
    assert body["messages"][-1]["role"] == last_role


def test_blank_text_is_not_sent_to_claude(provider_of, server):
    empty = LLMMessage(role="assistant", content=[LLMContentBlock.text(" ")])
    body = sent_by(provider_of("anthropic"), server, messages=[user("a"), empty, user("say=ok")])
    assert [message["role"] for message in body["messages"]] == ["user", "user"]
