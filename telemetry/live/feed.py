"""What has changed in a workspace, read from its log once per process however many people watch (promise 8).

A subscriber is told which requests have new events and up to which event id that is complete; what it shows of them is
its own affair. Changes that come faster than they can be shown become one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from typing_extensions import override

from runtime.follow import newest_settled
from runtime.horizon import horizon
from runtime.hub import Watch, hub
from runtime.readers import in_patient_reader
from runtime.sse import KEEP_ALIVE_S
from telemetry.live.pump import Listener, Pump, Pumps
from workspaces.models import Workspace

_PAGE = 2000
# News that come together are read together. Each telling costs every subscriber a rendering, so with many they come less often.
_TELL_EVERY_S = 0.1
_LONGER_FOR_EACH_S = 0.01
_LONGEST_S = 1.0
_SETTLING_S = 0.1


@dataclass(frozen=True, slots=True)
class Changes:
    request_pks: frozenset[int]
    cursor: int
    """Event id up to which nothing is left out; what a client sends back as `Last-Event-ID`."""


class Subscriber(Listener):
    def __init__(self, cursor: int) -> None:
        super().__init__()
        self.cursor = cursor
        """Where its own changes begin; what was before is to be read by oneself."""
        self._pks: set[int] = set()
        self._reached = cursor

    def hear(self, request_pks: set[int], cursor: int) -> None:
        self._pks |= request_pks
        self._reached = cursor
        if request_pks:
            self.wake()

    async def changes(self, watch: Watch) -> AsyncIterator[Changes | None]:
        """None every few seconds of quiet; ends as `Listener.wakings` does."""
        async for is_told in self.wakings(watch):
            told, self._pks = frozenset(self._pks), set()
            if not is_told:
                yield None
            elif told:
                yield Changes(told, self._reached)


class Feed(Pump[Subscriber]):
    def __init__(self, workspace_pk: int) -> None:
        super().__init__(workspace_pk)
        self.cursor = 0
        """The event id up to which everything was told; at the beginning, the one it begins at."""

    def subscribe(self) -> AbstractContextManager[Subscriber]:
        return self.tell(Subscriber(self.cursor))

    @override
    async def pump(self, begun: Callable[[], None]) -> None:
        with hub.watch(workspace=self.workspace_pk) as watch:
            self.cursor = await newest_settled()
            begun()
            while True:
                request_pks, cursor, is_behind = await in_patient_reader(self._read, self.cursor)
                self.cursor = cursor
                for subscriber in self.listeners:
                    subscriber.hear(request_pks, cursor)
                await asyncio.sleep(_SETTLING_S if is_behind else self._pause_s())
                if not is_behind:
                    await watch.wait(KEEP_ALIVE_S)

    def _pause_s(self) -> float:
        return min(_LONGEST_S, _TELL_EVERY_S + _LONGER_FOR_EACH_S * len(self.listeners))

    def _read(self, cursor: int) -> tuple[set[int], int, bool]:
        """The requests with events after the cursor, the new cursor, and whether there is more to come."""
        settled, is_newest = horizon.look()
        found = Workspace(pk=self.workspace_pk).events.filter(id__gt=cursor, id__lte=settled)
        page = list(found.order_by("id").values_list("id", "agent_request_id")[:_PAGE])
        is_full = len(page) == _PAGE
        reached = page[-1][0] if is_full else max(cursor, settled)
        return {request_pk for _, request_pk in page}, reached, is_full or not is_newest


feeds = Pumps(Feed)
