"""What the streamed answers of all vendors have in common."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx2
from typing_extensions import override

from agents.llm import failures
from agents.llm.errors import InvalidAnswer, Unreachable
from agents.llm.types import JSONObject
from workspaces.bounded_network import bounded

_REST_WITHIN_S = 0.2


class _WithRest(httpx2.SyncByteStream):
    """Reads what still comes when it is closed: only a connection whose answer was read to its end can be used again."""

    def __init__(self, inner: httpx2.SyncByteStream) -> None:
        self._inner = inner
        self._chunks = iter(inner)
        self.is_complete = False

    @override
    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks

    @override
    def close(self) -> None:
        if self.is_complete:
            with suppress(httpx2.HTTPError), bounded(_REST_WITHIN_S):
                for _ in self._chunks:
                    pass
        self._inner.close()


@contextmanager
def reading(events: Any) -> Iterator[_WithRest]:
    """Closes the stream in the end; once it `is_complete`, its connection goes back to the pool."""
    rest = events.response.stream = _WithRest(events.response.stream)
    with events, failures.reading_answer():
        yield rest


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
