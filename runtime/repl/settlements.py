"""Keeps track of which questions are settled, so that a prompt ends when somebody else has answered."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runtime.client import RequestEvent
from runtime.client.events import TERMINAL_NAMES
from runtime.repl.questions import Question
from runtime.repl.thought import text
from runtime.repl.told import Told

_ACKNOWLEDGED = "request.interaction.ack"
_RESUMED = "request.resumed"


class SettledElsewhere(Exception):
    """The question that is being asked needs no answer any more."""


class Settlements:
    """Told of each event by the thread that reads them, asked by the one that prompts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settled: set[str] = set()
        self._ended: set[str] = set()
        self._asked: Question | None = None
        self._end_prompt: Callable[[], None] = _nothing

    def note(self, event: RequestEvent) -> None:
        told = Told.read(event)
        with self._lock:
            request_id = text(told.data.get("request_id"))
            if told.name == _ACKNOWLEDGED:
                self._settled.add(text(told.data.get("interaction_id")))
            elif told.name in TERMINAL_NAMES:
                self._ended.add(request_id)
            elif told.name == _RESUMED:
                self._ended.discard(request_id)
            is_over = self._asked is not None and self._has(self._asked)
            end_prompt = self._end_prompt
        if is_over:
            end_prompt()

    def has(self, question: Question) -> bool:
        """Whether the question is answered or expired, or whoever asks has ended."""
        with self._lock:
            return self._has(question)

    @contextmanager
    def ending(self, question: Question, end_prompt: Callable[[], None]) -> Iterator[None]:
        """Within the block, `end_prompt` is called once the question is settled, from whatever thread hears of it."""
        with self._lock:
            self._asked, self._end_prompt = question, end_prompt
        try:
            yield
        finally:
            with self._lock:
                self._asked, self._end_prompt = None, _nothing

    def _has(self, question: Question) -> bool:
        return question.interaction_id in self._settled or question.request_id in self._ended


def _nothing() -> None:
    """For when nobody is being asked."""
