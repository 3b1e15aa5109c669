"""What comes back from a call that worked."""

import json

from agents.llm import LLMContentBlock, LLMMessage, LLMProvider, LLMRequest, LLMResponse
from tests.agents.llm.conftest import SEARCH, ask, user


def run_turn(provider: LLMProvider, text: str) -> tuple[list[LLMMessage], list[LLMResponse]]:
    """Plays the loop: asks, answers every tool call, until there is none."""
    messages = [user(text)]
    responses: list[LLMResponse] = []
    for _ in range(10):
        response = provider.send(LLMRequest(model="", messages=messages, tools=[SEARCH]))
        responses.append(response)
        if not response.tool_calls:
            return messages, responses
        # As the event log does: the blocks are stored as JSON and read again.
        stored = json.dumps([block.as_dict() for block in response.content_blocks])
        blocks = [LLMContentBlock.from_dict(block) for block in json.loads(stored)]
        results = [LLMContentBlock.tool_result(call.id, f"found {call.id}") for call in response.tool_calls]
        messages = [
            *messages,
            LLMMessage(role="assistant", content=blocks),
            LLMMessage(role="tool", content=results),
        ]
    raise AssertionError("the turn did not end")


def test_text_comes_back_with_usage(provider):
    response = provider.send(ask("Hello there, say=hi"))
    assert response.text == "hi"
    assert response.content_blocks == [LLMContentBlock.text("hi")]
    assert response.stop_reason == "end_turn"
    assert response.tool_calls == []
    assert response.usage.input_tokens
    assert response.usage.output_tokens
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


def test_tool_rounds_go_on_until_the_final_text(provider, kind):
    _, responses = run_turn(provider, 'tools=3 args={"query": "x y"} say=done')
    assert [len(response.tool_calls) for response in responses] == [1, 1, 1, 0]
    assert responses[0].tool_calls[0].name == "search"
    assert responses[0].tool_calls[0].arguments == {"query": "x y"}
    assert responses[0].stop_reason == ("tool_use" if kind == "anthropic" else "tool_call")
    assert responses[-1].text == "done"


def test_several_calls_of_one_round_are_answered_together(provider):
    _, responses = run_turn(provider, "tools=2 calls=3 say=done")
    assert [len(response.tool_calls) for response in responses] == [3, 3, 0]


def test_claude_gets_its_thinking_back_as_it_was(provider_of, server):
    run_turn(provider_of("anthropic"), "tools=1 reason=1 say=done")
    sent = server.requests()[-1]["body"]["messages"][1]["content"]
    assert sent[0] == {"type": "thinking", "thinking": "round 0", "signature": "signed round 0"}
    assert sent[1] == {"type": "redacted_thinking", "data": "sealed round 0"}
    assert sent[2]["type"] == "tool_use"


def test_openai_gets_its_reasoning_back_before_the_call(provider_of, server):
    run_turn(provider_of("openai"), "tools=1 reason=1 say=done")
    items = server.requests()[-1]["body"]["input"]
    assert [item["type"] for item in items] == ["message", "reasoning", "function_call", "function_call_output"]
    assert items[1]["encrypted_content"] == "sealed round 0"
    assert items[1]["id"].startswith("rs_")


def test_reasoning_whose_call_was_dropped_is_not_sent_back(provider_of, server):
    provider = provider_of("openai")
    response = provider.send(ask("tools=1 reason=1"))
    kept = [block for block in response.content_blocks if block.type != "tool_call"]
    provider.send(ask("", messages=[user("say=ok"), LLMMessage(role="assistant", content=kept), user("say=again")]))
    assert [item["type"] for item in server.requests()[-1]["body"]["input"]] == ["message", "message"]


def test_a_compatible_server_gets_its_reasoning_back_under_the_same_name(provider_of, server):
    run_turn(provider_of("openai_chat"), "tools=1 reason=1 say=done")
    assert server.requests()[-1]["body"]["messages"][1]["reasoning_content"] == "round 0"


def test_thinking_of_another_vendor_is_left_out(provider, kind, server):
    foreign = LLMContentBlock(type="reasoning" if kind == "anthropic" else "thinking", data={"summary": "x"})
    answer = LLMMessage(role="assistant", content=[foreign, LLMContentBlock.text("before")])
    provider.send(ask("", messages=[user("a"), answer, user("say=ok")]))
    assert "summary" not in json.dumps(server.requests()[-1]["body"])


def test_an_empty_answer_has_no_blocks_and_no_text(provider):
    response = provider.send(ask("fail=empty"))
    assert (response.text, response.content_blocks, response.tool_calls) == ("", [], [])
    assert response.stop_reason == "end_turn"


def test_a_tool_call_cut_off_by_the_limit_says_max_tokens(provider):
    response = provider.send(ask('fail=truncated_tool args={"query": "x"}'))
    assert response.stop_reason == "max_tokens"
    assert len(response.tool_calls) == 1


def test_arguments_that_are_no_json_are_kept_as_text(provider, server):
    messages, responses = run_turn(provider, "fail=bad_args say=recovered")
    call = responses[0].tool_calls[0]
    assert call.invalid_arguments == '{"broken": '
    assert call.arguments == {}
    assert messages[1].content[-1].data["invalid_arguments"] == '{"broken": '
    assert responses[-1].text == "recovered"
    assert "__invalid_json__" in json.dumps(server.requests()[-1]["body"])


def test_an_unknown_tool_and_missing_arguments_reach_the_loop(provider):
    assert provider.send(ask("fail=unknown_tool")).tool_calls[0].name == "no_such_tool"
    assert provider.send(ask("fail=missing_args")).tool_calls[0].arguments == {}


def test_cached_tokens_count_as_input(provider_of):
    _, responses = run_turn(provider_of("anthropic"), "tools=1")
    first, second = (response.usage for response in responses)
    assert first.cache_write_tokens
    assert second.cache_read_tokens
    assert second.input_tokens == second.metadata["uncached_input_tokens"] + second.cache_read_tokens
