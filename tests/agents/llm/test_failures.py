"""Each way in which a call can fail, as the runtime sees it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from agents.llm import LLMProvider, create_provider, errors, failures
from tests.agents.llm.conftest import API_KEY, MODELS, ask


def failure_of(provider: LLMProvider, text: str, **fields: Any) -> errors.LLMError:
    with pytest.raises(errors.LLMError) as caught:
        provider.send(ask(text, **fields))
    return caught.value


@pytest.mark.parametrize(
    ("words", "kind_of_error", "code", "retryable"),
    [
        ("fail=429", errors.RateLimited, "rate_limited", True),
        ("fail=500", errors.Overloaded, "overloaded", True),
        ("fail=503", errors.Overloaded, "overloaded", True),
        ("fail=529", errors.Overloaded, "overloaded", True),
        ("fail=401", errors.BadCredential, "bad_credential", False),
        ("fail=403", errors.BadCredential, "bad_credential", False),
        ("fail=404", errors.RequestRejected, "request_rejected", False),
        ("fail=422", errors.RequestRejected, "request_rejected", False),
        ("fail=context", errors.ContextTooLong, "context_length_exceeded", False),
        ("fail=refusal", errors.Refused, "refused", False),
        ("fail=close", errors.Unreachable, "unreachable", True),
        ("fail=malformed", errors.InvalidAnswer, "invalid_answer", True),
    ],
)
def test_each_failure_has_its_type(provider, words, kind_of_error, code, retryable):
    error = failure_of(provider, words)
    assert type(error) is kind_of_error
    assert (error.code, error.retryable, error.status) == (code, retryable, 502)
    assert str(error)
    assert API_KEY not in str(error)


def test_a_model_that_does_not_answer_times_out(provider):
    error = failure_of(provider, "fail=hang", timeout_s=0.2)
    assert type(error) is errors.ProviderTimeout
    assert (error.code, error.retryable) == ("provider_timeout", True)


def test_nobody_listening_is_unreachable(kind):
    nobody = create_provider(kind, model=MODELS[kind], api_key=API_KEY, base_url="http://127.0.0.1:9/v1")
    assert type(failure_of(nobody, "hello")) is errors.Unreachable


def test_a_refusal_carries_its_text_and_its_cost(provider):
    error = failure_of(provider, "fail=refusal")
    assert str(error) == "I will not help with that."
    assert error.details["usage"]["output_tokens"] > 0


def test_the_sdk_does_not_retry_by_itself(provider, server):
    failure_of(provider, "fail=500 key=once")
    assert server.recording.counts["once"] == 1


def test_a_failure_that_passes_lets_the_next_call_through(provider):
    assert type(failure_of(provider, "fail=429:1 say=back")) is errors.RateLimited
    assert provider.send(ask("fail=429:1 say=back")).text == "back"


def test_retry_after_is_passed_on(provider):
    assert failure_of(provider, "fail=429 retry_after=0.2").retry_after_s == 0.2
    assert failure_of(provider, "fail=429").retry_after_s is None


def test_retry_after_is_read_in_every_form():
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert failures.retry_after_s({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert failures.retry_after_s({"retry-after": "7"}) == 7
    assert failures.retry_after_s({"retry-after": in_a_minute}) == pytest.approx(60, abs=2)
    assert failures.retry_after_s({"retry-after": "soon"}) is None
    assert failures.retry_after_s({"retry-after": "nan"}) is None


def test_a_message_is_cut_and_holds_no_key():
    error = failures.from_status(
        401, f"Bad key {API_KEY} or sk-other-key-123456 " + "x" * 900, headers={}, api_key=API_KEY
    )
    assert len(str(error)) == errors.MESSAGE_LIMIT
    assert str(error).startswith("Bad key [key] or [key] x")


def test_an_empty_account_is_not_worth_a_retry():
    error = failures.from_status(429, "You exceeded your quota", headers={}, vendor_code="insufficient_quota")
    assert type(error) is errors.RequestRejected


def test_a_policy_error_is_a_refusal():
    error = failures.from_status(400, "flagged", headers={}, vendor_code="content_filter")
    assert type(error) is errors.Refused
