"""Tells the web processes what a model is saying while it says it: live, batched, and never kept (design.md 5).

One thread per process collects what all of its running requests have said, so many that speak at once cost no more
messages than one. What a call says within its first moments is not told at all if the call has ended by then.
"""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from runtime import drafts, news
from runtime.drafts import DRAFT_EVERY_S, Draft
from runtime.models import AgentRequest
from runtime.news import Delta

TELL_EVERY_S = 0.05
# A text longer than this is shown when it is complete.
MAX_LIVE_CHARACTERS = 200_000
# Half a second more between two drafts for each so many characters
_CHARACTERS_PER_DRAFT = 20_000


class SpokenText:
    """The text of one model call, as far as it has been said."""

    def __init__(self, agent_request: AgentRequest, *, loop_index: int, attempt: int) -> None:
        self._request = agent_request
        self._loop_index = loop_index
        self._attempt = attempt
        self._head = agent_request.last_sequence
        self._lock = threading.Lock()
        self._fresh: list[str] = []
        self._text = ""
        self._draft_length = 0
        self._draft_due = time.monotonic() + DRAFT_EVERY_S
        self._is_open = True

    def say(self, piece: str) -> None:
        """Takes the next piece; called by the thread that reads the model's answer."""
        with self._lock:
            is_first = not self._fresh and not self._text
            self._fresh.append(_storable(piece))
        if is_first:
            _teller(os.getpid()).listen_to(self)

    def close(self) -> None:
        self._is_open = False
        _teller(os.getpid()).forget(self)

    def so_far(self) -> str:
        """All that has been said, told or not."""
        with self._lock:
            return self._text + "".join(self._fresh)

    def take_delta(self) -> Delta | None:
        """What has been said since the last time."""
        with self._lock:
            text, self._fresh = "".join(self._fresh), []
            offset = len(self._text)
            if not text or offset >= MAX_LIVE_CHARACTERS or not self._is_open:
                return None
            self._text += text
        return Delta(
            request_id=self._request.request_id,
            trace_id=self._request.trace_id,
            head=self._head,
            attempt=self._attempt,
            loop_index=self._loop_index,
            offset=offset,
            text=text,
        )

    def take_draft(self) -> Draft | None:
        """The whole text when it is time to keep it for late comers, and has grown."""
        now, length = time.monotonic(), len(self._text)
        if now < self._draft_due or length == self._draft_length:
            return None
        self._draft_length = length
        self._draft_due = now + DRAFT_EVERY_S * (1 + length // _CHARACTERS_PER_DRAFT)
        return Draft(
            agent_request=self._request,
            head=self._head,
            attempt=self._attempt,
            loop_index=self._loop_index,
            text=self._text,
            is_current=lambda: self._is_open,
        )


@contextmanager
def speaking(agent_request: AgentRequest, *, loop_index: int, attempt: int) -> Iterator[SpokenText]:
    """The text of a model call that is made within the block; nothing of it is told afterwards."""
    text = SpokenText(agent_request, loop_index=loop_index, attempt=attempt)
    try:
        yield text
    finally:
        text.close()


class _Teller:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: set[SpokenText] = set()
        self._has_texts = threading.Event()
        self._drafter = ThreadPoolExecutor(1, thread_name_prefix="drafts")
        self._saving: Future[None] | None = None
        threading.Thread(target=self._run, name="deltas", daemon=True).start()

    def listen_to(self, text: SpokenText) -> None:
        with self._lock:
            self._texts.add(text)
            self._has_texts.set()

    def forget(self, text: SpokenText) -> None:
        with self._lock:
            self._texts.discard(text)
            if not self._texts:
                self._has_texts.clear()

    def _run(self) -> None:
        while True:
            self._has_texts.wait()
            time.sleep(TELL_EVERY_S)
            with self._lock:
                texts = list(self._texts)
            news.publish_deltas([delta for text in texts if (delta := text.take_delta())])
            # A thread of its own: while the database is slow, deltas go on.
            if self._saving is None or self._saving.done():
                due = [draft for text in texts if (draft := text.take_draft())]
                self._saving = self._drafter.submit(drafts.save, due) if due else None


@cache
def _teller(process_id: int) -> _Teller:
    """One per process; a fork shares no threads with its parent."""
    return _Teller()


def _storable(text: str) -> str:
    """The text as PostgreSQL can keep it and JSON can send it, character for character."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
