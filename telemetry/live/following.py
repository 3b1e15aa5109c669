"""Pages that follow one request: what is written since the browser's cursor, and what a model says meanwhile."""

import asyncio
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from django.utils import timezone

from runtime.drafts import find_draft
from runtime.hub import Watch, hub
from runtime.kinds import TEXT_BOUNDARIES, Status
from runtime.listening import Listening
from runtime.models import AgentRequest
from runtime.news import Delta, News
from runtime.readers import in_patient_reader
from runtime.sse import KEEP_ALIVE, Receive, Scope, Send, send_error, send_frames
from telemetry.live.badge import InboxBadge
from telemetry.live.door import Viewer, opened
from telemetry.live.frames import END, frame
from telemetry.live.limits import counted
from telemetry.show.log import SMALL_BYTES, LogLine, find_request, read_lines
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope

_AT_LEAST_S = 0.2
_TICK_S = 1.0
_SLOW_TICK_S = 5.0


class Follower(ABC):
    """One browser's picture of a request; methods are called in reader threads, one at a time."""

    kinds: Sequence[str] = ()
    """Events that the page folds."""
    whole_below: int = SMALL_BYTES
    """Bytes below which their payloads are needed whole."""

    def __init__(self, viewer: Viewer, agent_request: AgentRequest, cursor: int) -> None:
        self.viewer = viewer
        self.agent_request = agent_request
        self.cursor = cursor
        self.boundary = 0
        self.badge = InboxBadge()
        self.take(self._read(after=0, up_to=cursor))

    @abstractmethod
    def fold(self, line: LogLine) -> None: ...

    @abstractmethod
    def render(self, before: int) -> list[str]:
        """Parts for whatever looks different since the log ended at `before`."""

    @abstractmethod
    def said(self, text: str, *, is_first: bool) -> str:
        """A part for what the model has just said; the first replaces what is there, and an empty one takes it away."""

    def tick(self) -> bytes:
        """What changes by time alone, every second while the request runs and every few seconds while it waits."""
        return KEEP_ALIVE

    def take(self, lines: list[LogLine]) -> bool:
        """Folds them; true when one begins or ends what a model says."""
        for line in lines:
            self.fold(line)
        boundaries = [line.sequence for line in lines if line.event_type in TEXT_BOUNDARIES]
        self.boundary = max([self.boundary, *boundaries])
        return bool(boundaries)

    def advance(self, *, looks_for_draft: bool) -> tuple[list[str], Delta | None]:
        """Reads on to the head of the log."""
        before = self.cursor
        self.agent_request = find_request(self.viewer.principal.workspace, self.agent_request.request_id)
        self.cursor = self.agent_request.last_sequence
        ends_text = self.take(self._read(after=before, up_to=self.cursor))
        parts: list[str] = []
        if self.cursor > before:
            with timezone.override(self.viewer.preferences.zone):
                parts = [*self.render(before), *self.badge.changed(self.viewer.principal.workspace)]
        if ends_text:
            parts.append(self.said("", is_first=True))
        return parts, find_draft(self.agent_request) if looks_for_draft else None

    def _read(self, *, after: int, up_to: int) -> list[LogLine]:
        kinds = {*self.kinds, *TEXT_BOUNDARIES}
        return read_lines(self.agent_request, kinds, after=after, up_to=up_to, whole_below=self.whole_below)


OpenFollower = Callable[[Viewer, AgentRequest], Follower]


async def follow_request(
    scope: Scope, receive: Receive, send: Send, follow: OpenFollower, needed: AccessScope = AccessScope.SESSIONS_READ
) -> None:
    """A stream below a request's page, until the request ends or the browser leaves."""
    request_id: uuid.UUID = scope["url_route"]["kwargs"]["request_id"]
    listening = Listening()
    try:
        with hub.watch(request_id=request_id, listening=listening) as watch:
            follower = await opened(scope, needed, partial(_open, request_id, follow))
            watch.principal = follower.viewer.principal
            with counted(follower.viewer.principal):
                await send_frames(_frames(follower, watch, listening), receive, send)
    except MashError as error:
        await send_error(send, error)


def _open(request_id: uuid.UUID, follow: OpenFollower, viewer: Viewer) -> Follower:
    return follow(viewer, find_request(viewer.principal.workspace, request_id))


async def _frames(follower: Follower, watch: Watch, listening: Listening) -> AsyncIterator[bytes]:
    yield frame([follower.said("", is_first=True)])
    listening.lacks_text = True
    while not watch.is_over:
        parts, draft = await in_patient_reader(follower.advance, looks_for_draft=listening.wants_draft())
        watch.advance(follower.cursor, follower.boundary)
        listening.read_draft(None, follower.agent_request)
        if draft and (new := listening.new_part(draft)):
            parts.append(follower.said(new.text, is_first=new.offset == 0))
        yield frame(parts, cursor=follower.cursor)
        if follower.agent_request.is_terminal:
            yield END
            return
        async for told in _until_something_is_written(follower, watch, listening):
            yield told


async def _until_something_is_written(follower: Follower, watch: Watch, listening: Listening) -> AsyncIterator[bytes]:
    """What is being said, and how long it takes, without a query."""
    tick_s = _TICK_S if follower.agent_request.status == Status.RUNNING else _SLOW_TICK_S
    ticked_at = time.monotonic()
    async for told in watch.news_without_gap(tick_s):
        if isinstance(told, Delta) and (new := listening.new_part(told)):
            # In a thread: it may be a long piece of code that is coloured.
            yield frame([await in_patient_reader(follower.said, new.text, is_first=new.offset == 0)])
        if told is None or time.monotonic() - ticked_at >= tick_s:
            ticked_at = time.monotonic()
            yield await in_patient_reader(follower.tick)
        await asyncio.sleep(_AT_LEAST_S)
        if isinstance(told, News):
            return
