"""One per web process: turns news into wake-ups for the streams that watch (design.md 5).

An open stream on a quiet request costs no query and no connection of its own: while anything is watched, one or two
queries a second for the whole process make up for news that were lost.
"""

import asyncio
import logging
import time
import uuid
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import redis.asyncio
from django.conf import settings
from redis import RedisError

from runtime import news
from runtime.horizon import newest_event_id
from runtime.listening import Listening
from runtime.news import Delta, News
from runtime.readers import Mark, in_reader, marks_of
from workspaces.access import without_access
from workspaces.authenticate import Principal

logger = logging.getLogger(__name__)

_CHECK_EVERY_S = 1.0
_CHECK_ACCESS_EVERY_S = 10.0
_PUSHED_KEPT = 8
_TEXT_KEPT = 64 * 1024


@dataclass(eq=False, slots=True)
class Watch:
    """One stream's wish to be woken. `seen` is the last sequence that the stream has read."""

    request_id: uuid.UUID | None
    session: str | None
    seen: int = 0
    principal: Principal | None = None
    """Who watches, once that is known."""
    is_over: bool = False
    """The stream ends: the request has, or the watcher may no longer see it."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    known_head: int = 0
    """How far the log reaches, as far as has been heard."""
    pushed: deque[News | Delta] = field(default_factory=lambda: deque(maxlen=_PUSHED_KEPT))
    listening: Listening | None = None
    """What was heard of a model's text; None for watchers who do not care before it is in the log."""

    async def news_without_gap(self, keep_alive_s: float) -> AsyncIterator[News | Delta | None]:
        """News whose frames go on exactly where the stream stands, and None when it is time for a keep-alive.

        Ends when the log, or a model's text, has grown by something that did not come along: then the stream must read it.
        """
        while not self.is_over:
            if told := self._next_pushed():
                if isinstance(told, News):
                    self.advance(told.head, told.boundary)
                yield told
            elif self.known_head > self.seen or (self.listening and self.listening.wants_draft()):
                return
            elif not await self.wait(self._patience_s(keep_alive_s)):
                yield None

    def advance(self, seen: int, boundary: int) -> None:
        """Notes that the stream has sent the log up to here."""
        self.seen = seen
        if self.listening and boundary:
            self.listening.boundary = boundary

    def hear(self, delta: Delta) -> None:
        """Keeps a piece of text until the stream can send it; pieces that pile up become one."""
        if self.listening is None or delta.head < self.listening.boundary:
            return
        last = self.pushed[-1] if self.pushed else None
        if isinstance(last, Delta) and last.head == delta.head:
            # What has become too long to wait here is read from the draft.
            is_next = last.offset + len(last.text) == delta.offset and len(last.text) < _TEXT_KEPT
            self.pushed[-1] = replace(last, text=last.text + delta.text) if is_next else delta
        else:
            self.pushed.append(delta)
        self.changed.set()

    def check(self, mark: Mark) -> None:
        """Makes up for news that were lost, by what the database says."""
        if mark.head > self.seen:
            self.known_head = max(self.known_head, mark.head)
            self.changed.set()
        listening = self.listening
        if listening and mark.draft_head == listening.boundary and mark.draft_length > listening.heard(mark.draft_head):
            listening.lacks_text = True
            self.changed.set()

    def _next_pushed(self) -> News | Delta | None:
        while self.pushed:
            told = self.pushed[0]
            if isinstance(told, Delta):
                if not self._is_old(told):
                    return self.pushed.popleft() if self._continues(told) else None
            elif told.head > self.seen:
                return self.pushed.popleft() if told.first == self.seen and told.frames else None
            self.pushed.popleft()
        return None

    def _is_old(self, delta: Delta) -> bool:
        return self.listening is None or delta.head < self.listening.boundary

    def _continues(self, delta: Delta) -> bool:
        """Whether the stream has sent the event that the text belongs to, and all of the text before this piece."""
        assert self.listening  # noqa: S101  only listeners are given deltas
        if delta.head > self.listening.boundary:
            self.known_head = max(self.known_head, delta.head)
            return False
        self.listening.lacks_text = self.listening.has_gap(delta)
        return not self.listening.lacks_text

    def _patience_s(self, keep_alive_s: float) -> float:
        if self.listening is None or not self.listening.lacks_text:
            return keep_alive_s
        return min(keep_alive_s, max(0.0, self.listening.draft_at - time.monotonic()))

    async def wait(self, timeout_s: float) -> bool:
        """True when there may be something new, False after the time-out."""
        with suppress(TimeoutError):
            # Not `wait_for`: before Python 3.12 it loses a cancel that comes together with the news.
            async with asyncio.timeout(timeout_s):
                await self.changed.wait()
        is_news = self.changed.is_set()
        self.changed.clear()
        return is_news


class Hub:
    def __init__(self) -> None:
        self._by_request: dict[uuid.UUID, set[Watch]] = defaultdict(set)
        self._by_session: dict[str, set[Watch]] = defaultdict(set)
        self._by_workspace: dict[int, set[Watch]] = defaultdict(set)
        self._tasks: list[asyncio.Task[None]] = []
        self._newest_event_id = 0

    @contextmanager
    def watch(
        self,
        *,
        request_id: uuid.UUID | None = None,
        session: str | None = None,
        workspace: int | None = None,
        listening: Listening | None = None,
    ) -> Iterator[Watch]:
        """Wakes the watcher on news of a request, a session or a workspace (by its key); enter it before the first read."""
        self._start()
        watch = Watch(request_id, session, listening=listening)
        groups = [(self._by_request, request_id), (self._by_session, session), (self._by_workspace, workspace)]
        for watches, key in groups:
            if key is not None:
                watches[key].add(watch)  # type: ignore[index]  # each group has keys of its own type
        try:
            yield watch
        finally:
            for watches, key in groups:
                if key is not None:
                    watches[key].discard(watch)  # type: ignore[index]
                    if not watches[key]:  # type: ignore[index]
                        del watches[key]  # type: ignore[attr-defined]

    def tell(self, message: bytes) -> None:
        """Wakes whoever watches what the message is about."""
        if deltas := news.read_deltas(message):
            for delta in deltas:
                for watch in self._by_request.get(delta.request_id, ()):
                    watch.hear(delta)
            return
        told = News.from_bytes(message)
        for watch in self._by_request.get(told.request_id, ()):
            if told.head > watch.seen:
                watch.pushed.append(told)
                watch.known_head = max(watch.known_head, told.head)
                watch.changed.set()
        for watch in (*self._by_session.get(told.session, ()), *self._by_workspace.get(told.workspace_pk, ())):
            watch.changed.set()

    def _start(self) -> None:
        """Starts listening and checking with the first watcher of this event loop."""
        if not any(task for task in self._tasks if not task.done()):
            listen = self._listen_redis if settings.MASH_REDIS_URL else self._listen_mailbox
            self._tasks = [asyncio.ensure_future(listen()), asyncio.ensure_future(self._check())]

    async def _listen_mailbox(self) -> None:
        loop = asyncio.get_running_loop()
        with news.open_mailbox("news") as mailbox:
            while True:
                self.tell(await loop.sock_recv(mailbox, news.MAX_MESSAGE_BYTES))

    async def _listen_redis(self) -> None:
        """Subscribes, and again when Redis has been away."""
        while True:
            try:
                async with redis.asyncio.Redis.from_url(settings.MASH_REDIS_URL) as client, client.pubsub() as channel:
                    await channel.subscribe(news.CHANNEL)
                    _end_if_cancelled()
                    async for message in channel.listen():
                        if message["type"] == "message":
                            self.tell(message["data"])
            except (RedisError, OSError) as error:
                _end_if_cancelled()
                logger.warning("News cannot be heard: %s", error, extra={"action": "news.deaf"})
            await asyncio.sleep(_CHECK_EVERY_S)

    async def _check(self) -> None:
        access_checked_at = time.monotonic()
        while True:
            await asyncio.sleep(_CHECK_EVERY_S)
            try:
                await self._check_once()
                if time.monotonic() - access_checked_at >= _CHECK_ACCESS_EVERY_S:
                    access_checked_at = time.monotonic()
                    await self._check_access()
            except Exception:  # a database that is away for a moment: the next check is a second off
                logger.warning("Streams could not be checked", exc_info=True, extra={"action": "news.check_failed"})

    async def _check_access(self) -> None:
        """Ends the streams of those whose token or membership has ended since they opened them."""
        groups = [*self._by_request.values(), *self._by_session.values(), *self._by_workspace.values()]
        watches = [watch for group in groups for watch in group]
        principals = {watch.principal for watch in watches if watch.principal}
        gone = await in_reader(without_access, principals)
        for watch in watches:
            if watch.principal in gone:
                watch.is_over = True
                watch.changed.set()

    async def _check_once(self) -> None:
        if self._by_request:
            for request_id, mark in (await in_reader(marks_of, list(self._by_request))).items():
                for watch in self._by_request.get(request_id, ()):
                    watch.check(mark)
        if self._by_session or self._by_workspace:
            newest = await in_reader(newest_event_id)
            if newest != self._newest_event_id:
                self._newest_event_id = newest
                groups = [*self._by_session.values(), *self._by_workspace.values()]
                for watch in [watch for watches in groups for watch in watches]:
                    watch.changed.set()


def _end_if_cancelled() -> None:
    """The Redis client loses a cancel that comes while it connects, and a listener that goes on would never end."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


hub = Hub()
