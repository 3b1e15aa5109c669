"""A streamed answer is the same answer, told piece by piece."""

import json
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from agents.llm import LLMProvider, LLMResponse, create_provider, errors
from tests.agents.llm.conftest import API_KEY, MODELS, ask

Pieces = list[str]


def streamed(provider: LLMProvider, text: str, **fields: Any) -> tuple[LLMResponse, Pieces]:
    pieces: Pieces = []
    return provider.send(ask(text, on_text=pieces.append, **fields)), pieces


def comparable(response: LLMResponse) -> LLMResponse:
    """Without what differs between any two answers of the script: its numbers, and counts of the request's own size."""
    blocks = [replace(block, data={**block.data, "id": ""}) for block in response.content_blocks]
    usage = response.usage.as_dict()
    for name in ("input_tokens", "total_tokens", "cache_read_tokens", "cache_write_tokens", "metadata"):
        usage[name] = bool(usage[name])
    return replace(
        response,
        content_blocks=blocks,
        usage=type(response.usage).from_dict(usage),
        provider_response=None,
        provider_metadata={},
    )


@pytest.mark.parametrize(
    "words",
    [
        'say="one two three"',
        'say="  spaced  out  "',
        'tools=1 calls=3 args={"query": "é \\" x"} reason=1',
        "reason=1 say=thought",
        "fail=bad_args",
        "fail=missing_args",
        "fail=unknown_tool",
        'fail=truncated_tool args={"query": "x"}',
        "fail=empty",
    ],
)
def test_a_streamed_answer_equals_the_one_in_one_piece(provider_of, kind, words):
    # Each asks anew, as some failures come once for one conversation.
    whole = provider_of(kind).send(ask(f"{words} key=whole-{words!r}"))
    answer, pieces = streamed(provider_of(kind), f"{words} key=streamed-{words!r}")
    assert comparable(answer) == comparable(whole)
    assert "".join(pieces).strip() == answer.text
    assert len(pieces) > 1 or " " not in answer.text


def test_streamed_calls_use_one_connection(provider, server):
    streamed(provider, "say=warm")
    before = set(server.recording.connections)
    for _ in range(3):
        # The end of the body comes after the last event.
        streamed(provider, 'say="a b c" trickle=0.01')
    assert set(server.recording.connections) == before


def test_the_beta_api_streams_too(provider_of, server):
    answer, pieces = streamed(provider_of("anthropic"), 'say="a b"', provider_options={"betas": ["some-beta"]})
    assert (answer.text, pieces) == ("a b", ["a ", "b"])
    assert server.requests()[-1]["headers"]["anthropic-beta"] == "some-beta"


def test_every_adapter_says_that_it_streams(provider):
    assert provider.capabilities().streaming
    assert create_provider("demo").capabilities().streaming


def test_the_demo_provider_streams():
    answer, pieces = streamed(create_provider("demo"), "hello")
    assert "".join(pieces) == answer.text
    assert len(pieces) > 3


@pytest.mark.parametrize(
    ("words", "kind_of_error"),
    [
        ("fail=close", errors.Unreachable),
        ("fail=early_end", errors.Unreachable),
        ("fail=garbage", errors.InvalidAnswer),
        ("fail=midway", errors.Overloaded),
        ("fail=malformed", errors.InvalidAnswer),
        ("fail=529", errors.Overloaded),
    ],
)
def test_a_stream_that_breaks_is_a_failure_that_may_pass(provider, words, kind_of_error):
    with pytest.raises(errors.LLMError) as caught:
        streamed(provider, f'{words} say="a b c d e f"')
    assert type(caught.value) is kind_of_error
    assert caught.value.retryable


def test_a_refusal_carries_its_cost_also_in_a_stream(provider):
    with pytest.raises(errors.Refused) as caught:
        streamed(provider, "fail=refusal")
    assert str(caught.value) == "I will not help with that."
    assert caught.value.details["usage"]["output_tokens"] > 0


def test_a_server_that_does_not_stream_is_understood(provider):
    answer, pieces = streamed(provider, 'fail=unstreamed say="a b"')
    assert (answer.text, pieces) == ("a b", [])
    assert answer.usage.output_tokens


@pytest.mark.parametrize("field", ["stream_options", "response_format"])
def test_a_server_that_does_not_know_a_field_is_asked_without_it(server, field):
    # A URL of its own, as what a server does not know is remembered by its URL.
    provider = create_provider("openai_chat", model="m", api_key=API_KEY, base_url=f"{server.url}/v1/")
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    for _ in range(2):
        answer, _ = streamed(provider, f"fail={field} say=ok", output_schema=schema)
        assert answer.text == "ok"
    assert [field in request["body"] for request in server.requests()] == [True, False, False]


def events(*datas: Any) -> bytes:
    return b"".join(b"data: " + (d if isinstance(d, bytes) else json.dumps(d).encode()) + b"\n\n" for d in datas)


def answer_to(kind: str, body: bytes) -> LLMResponse:
    """What the adapter makes of these bytes of a stream."""
    headers = {"content-type": "text/event-stream"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=body, headers=headers))
    with httpx2.Client(transport=transport) as http_client:
        provider = create_provider(
            kind, model=MODELS[kind], api_key=API_KEY, base_url="http://model.example/v1", http_client=http_client
        )
        return provider.send(ask("hello", on_text=lambda _: None))


def chunk(delta: Any, finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **fields}


def call_piece(arguments: str, **fields: Any) -> dict[str, Any]:
    return {"tool_calls": [{**fields, "function": {"name": fields.pop("name", None), "arguments": arguments}}]}


@pytest.mark.parametrize(
    "pieces",
    [
        # As OpenAI does it
        [
            call_piece("", index=0, id="a", name="x"),
            call_piece('{"n":', index=0),
            call_piece(" 1}", index=0),
            call_piece('{"n": 2}', index=1, id="b", name="y"),
        ],
        # Without an index
        [
            call_piece('{"n":', id="a", name="x"),
            call_piece(" 1}", id="a"),
            call_piece('{"n": 2}', id="b", name="y"),
        ],
        # All with the same index
        [call_piece('{"n": 1}', index=0, id="a", name="x"), call_piece('{"n": 2}', index=0, id="b", name="y")],
    ],
)
def test_calls_are_told_apart_however_a_server_numbers_them(pieces):
    body = events(*map(chunk, pieces), chunk({}, "tool_calls"), b"[DONE]")
    calls = answer_to("openai_chat", body).tool_calls
    assert [(call.id, call.name, call.arguments) for call in calls] == [("a", "x", {"n": 1}), ("b", "y", {"n": 2})]


def test_thinking_in_parts_is_put_together():
    details = [
        {"type": "reasoning.text", "index": 0, "text": "I "},
        {"type": "reasoning.text", "index": 0, "text": "am"},
    ]
    deltas = [{"reasoning": "I "}, {"reasoning": "am"}, *({"reasoning_details": [part]} for part in details)]
    body = events(*map(chunk, deltas), chunk({"content": "ok"}, "stop"))
    assert answer_to("openai_chat", body).content_blocks[0].data == {
        "reasoning": "I am",
        "reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "I am"}],
    }


def test_a_server_that_counts_no_tokens_and_one_that_counts_in_every_chunk():
    assert answer_to("openai_chat", events(chunk({"content": "ok"}, "stop"))).usage.input_tokens is None
    usage = [{"prompt_tokens": 7, "completion_tokens": n, "total_tokens": 7 + n} for n in (1, 2)]
    body = events(chunk({"content": "o"}, usage=usage[0]), chunk({"content": "k"}, "stop", usage=usage[1]))
    assert answer_to("openai_chat", body).usage.output_tokens == 2


@pytest.mark.parametrize("body", [b"", b"data: []\n\n", b"data: 3\n\n", b": ping\n\n", b'data: {"choices": 7}\n\n'])
def test_a_stream_of_nonsense_is_an_error_of_ours(kind, body):
    with pytest.raises(errors.LLMError) as caught:
        answer_to(kind, body)
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("code", "kind_of_error"),
    [
        ("rate_limit_exceeded", errors.RateLimited),
        ("context_length_exceeded", errors.ContextTooLong),
        ("insufficient_quota", errors.RequestRejected),
        ("content_filter", errors.Refused),
        (503, errors.Overloaded),
        ("surprise", errors.Overloaded),
    ],
)
def test_an_error_in_the_middle_has_its_type(code, kind_of_error):
    body = events(chunk({"content": "o"}), {"error": {"message": f"It broke, {API_KEY}.", "code": code}})
    with pytest.raises(errors.LLMError) as caught:
        answer_to("openai_chat", body)
    assert type(caught.value) is kind_of_error
    assert str(caught.value) == "It broke, [key]."


def test_claudes_counts_are_those_of_the_last_event():
    usage = {"input_tokens": 5, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 0, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    told: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 9, "cache_read_input_tokens": None}},
        {"type": "message_stop"},
    ]
    body = b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in told)
    counted = answer_to("anthropic", body).usage
    assert (counted.input_tokens, counted.cache_read_tokens, counted.output_tokens) == (8, 3, 9)
