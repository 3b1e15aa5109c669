"""Answers that no vendor promises and some server sends, through a client that the caller brings."""

from typing import Any

import httpx2
import pytest

from agents.llm import create_provider, errors
from tests.agents.llm.conftest import API_KEY, MODELS, ask


def failure_after(kind: str, **answer: Any) -> errors.LLMError:
    """What the adapter makes of this one HTTP answer."""
    status = answer.pop("status", 200)
    transport = httpx2.MockTransport(lambda _: httpx2.Response(status, **answer))
    with httpx2.Client(transport=transport) as http_client:
        provider = create_provider(
            kind, model=MODELS[kind], api_key=API_KEY, base_url="http://model.example/v1", http_client=http_client
        )
        with pytest.raises(errors.LLMError) as caught:
            provider.send(ask("hello"))
    return caught.value


@pytest.mark.parametrize("body", ["{}", "[]", "null", '"text"', '{"content": null, "choices": [], "output": null}'])
def test_json_of_another_shape_is_an_invalid_answer(kind, body):
    assert type(failure_after(kind, text=body, headers={"content-type": "application/json"})) is errors.InvalidAnswer


def test_a_page_instead_of_json_is_an_invalid_answer(kind):
    assert type(failure_after(kind, html="<h1>Welcome to the proxy</h1>")) is errors.InvalidAnswer


def test_bytes_that_are_no_text_are_an_invalid_answer(kind):
    answer = failure_after(kind, content=b"\xff\xfe{", headers={"content-type": "application/json"})
    assert type(answer) is errors.InvalidAnswer


def test_a_gateways_error_page_is_not_repeated(kind):
    error = failure_after(kind, status=502, html="<h1>internal-host-17 is down</h1>")
    assert type(error) is errors.Overloaded
    assert "internal-host" not in str(error)


def test_a_redirect_is_not_followed_with_the_key(kind):
    error = failure_after(kind, status=307, headers={"location": "http://elsewhere.example/"})
    assert type(error) is errors.RequestRejected


@pytest.mark.parametrize(
    ("code", "kind_of_error"),
    [
        ("server_error", errors.Overloaded),
        ("rate_limit_exceeded", errors.RateLimited),
        ("bio_policy", errors.Refused),
        ("invalid_image", errors.RequestRejected),
    ],
)
def test_a_response_that_failed_midway_is_an_error(code, kind_of_error):
    failed: dict[str, Any] = {
        "status": "failed",
        "error": {"code": code, "message": "It broke."},
        "output": [],
        "usage": None,
    }
    error = failure_after("openai", json={"id": "resp_1", "object": "response", "model": "m", **failed})
    assert type(error) is kind_of_error
    assert str(error) == "It broke."


def test_a_servers_plain_words_are_passed_on():
    error = failure_after("openai_chat", status=404, json={"error": "model 'llama9' not found"})
    assert str(error) == "model 'llama9' not found"


def test_an_answer_that_filled_the_window_counts_as_cut_off():
    usage = {"input_tokens": 1, "output_tokens": 1}
    content = [{"type": "text", "text": "It is"}]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content, "usage": usage}
    body = {**message, "stop_reason": "model_context_window_exceeded"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=body))
    with httpx2.Client(transport=transport) as http_client:
        response = create_provider("anthropic", api_key=API_KEY, http_client=http_client).send(ask("hello"))
    assert response.stop_reason == "max_tokens"
    assert response.provider_metadata["stop_reason"] == "model_context_window_exceeded"
