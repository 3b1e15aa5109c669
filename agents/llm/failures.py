"""What an HTTP answer that is not a success means to us, whichever vendor gave it."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

import httpx2

from agents.llm.errors import (
    AddressNotAllowed,
    BadCredential,
    ContextTooLong,
    InvalidAnswer,
    LLMError,
    Overloaded,
    ProviderTimeout,
    RateLimited,
    Refused,
    RequestRejected,
    Unreachable,
)
from workspaces.outbound import refusal_behind

CLOSED = "The connection to the provider failed or was closed."
TOO_SLOW = "The provider did not answer in time."
CONTEXT_WORDS = re.compile(
    r"context_length_exceeded|prompt is too long|context (window|length)|maximum context|exceeds? .{0,40}context"
    r"|input length and `?max_tokens`? exceed",
    re.IGNORECASE,
)
# What stands for an HTTP status when an error comes as an event; any other code is trouble of the vendor's own.
EVENT_STATUSES = {
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "timeout_error": 408,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
}
KEY_SHAPES = re.compile(r"\b(?:sk|pk|rk|key)-[\w*-]{6,}")
POLICY_CODES = frozenset({"content_filter", "content_policy_violation", "invalid_prompt", "bio_policy"})
POLICY_CODES |= {"cyber_policy", "misalignment_policy_violation", "image_content_policy_violation"}


def from_status(
    status: int, message: str, *, headers: Mapping[str, str], vendor_code: str = "", api_key: str = ""
) -> LLMError:
    """The typed error for one refused HTTP call; the message is the vendor's, without anything like a key."""
    kind = _kind(status, message, vendor_code)
    details = {"provider_status": status, **({"provider_code": vendor_code} if vendor_code else {})}
    text = without_key(message, api_key) or f"The provider answered with status {status}."
    return kind(text, retry_after_s=retry_after_s(headers), details=details)


def from_event(vendor_code: str, message: str, *, api_key: str = "") -> LLMError:
    """The typed error that a vendor reported in the middle of an answer, where there is no status any more."""
    is_status = vendor_code.isdecimal() and 400 <= int(vendor_code) < 600
    status = int(vendor_code) if is_status else EVENT_STATUSES.get(vendor_code, 500)
    kind = _kind(status, message, vendor_code)
    details = {"provider_code": vendor_code} if vendor_code else None
    return kind(without_key(message, api_key) or "The provider's answer broke off with an error.", details=details)


def _kind(status: int, message: str, vendor_code: str) -> type[LLMError]:
    if vendor_code in POLICY_CODES:
        return Refused
    if vendor_code in ("insufficient_quota", "billing_error"):
        # Comes as 429, but no wait will fill an empty account.
        return RequestRejected
    if status in (400, 413, 422) and (status == 413 or CONTEXT_WORDS.search(f"{vendor_code} {message}")):
        return ContextTooLong
    if status in (401, 403):
        return BadCredential
    return _kind_of_status(status)


def _kind_of_status(status: int) -> type[LLMError]:
    if status == 429:
        return RateLimited
    if status == 408:
        return ProviderTimeout
    if status >= 500 or status == 409:
        # 409 is a lock on the vendor's side that another try passes.
        return Overloaded
    return RequestRejected


def without_key(text: str, api_key: str) -> str:
    """Vendors repeat parts of a key in their messages; no part of it goes further than here."""
    if api_key:
        text = text.replace(api_key, "[key]")
    return KEY_SHAPES.sub("[key]", text)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Reads `retry-after-ms` or `Retry-After`, which is in seconds or an HTTP date."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _number(value)
    return seconds if seconds is not None else _seconds_until(value)


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _seconds_until(http_date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


@contextmanager
def reading_answer() -> Iterator[None]:
    """SDK objects are built without validation, so a wrong shape shows only when it is read."""
    try:
        yield
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise InvalidAnswer("The provider's answer does not have the promised shape.") from error


def no_connection(error: Exception) -> LLMError:
    """The typed error when no answer came at all."""
    refusal = refusal_behind(error)
    return AddressNotAllowed(str(refusal)) if refusal else Unreachable(CLOSED)


@contextmanager
def transport_errors() -> Iterator[None]:
    """What neither SDK turns into an error of its own."""
    try:
        yield
    except httpx2.TimeoutException as error:
        raise ProviderTimeout(TOO_SLOW) from error
    except httpx2.HTTPError as error:
        raise no_connection(error) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InvalidAnswer("The provider's answer is not valid JSON.") from error
