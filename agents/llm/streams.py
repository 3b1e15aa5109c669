"""What the streamed answers of all vendors have in common."""

import json

import httpx2

from agents.llm import failures
from agents.llm.errors import InvalidAnswer, Unreachable
from agents.llm.types import JSONObject


def is_stream(response: httpx2.Response) -> bool:
    """False for servers and gateways that answer in one piece although a stream was asked for."""
    media_type = response.headers.get("content-type", "")
    return "json" not in media_type and "html" not in media_type


def whole_answer(response: httpx2.Response) -> JSONObject:
    answer = json.loads(response.read())
    if not isinstance(answer, dict):
        raise InvalidAnswer("The provider's answer is not a JSON object.")
    return answer


def cut_off() -> Unreachable:
    """A stream that ended in good form, but before the vendor said that the answer is complete."""
    return Unreachable(failures.CLOSED)
