"""New rows of the API log, read once a moment per process for everybody who watches (promise 8)."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager

from typing_extensions import override

from runtime.hub import Watch
from runtime.readers import in_patient_reader
from telemetry.live.pump import Listener, Pump, Pumps
from telemetry.models import ApiEvent
from workspaces.models import Workspace

_EVERY_S = 0.5
_MOST_KEPT = 200
# Ids are drawn before their transactions commit: a smaller one may show up after a larger one.
_TRAILING = 200


class Reader(Listener):
    """Somebody's unread rows; the oldest are forgotten when nobody takes them."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[ApiEvent] = deque(maxlen=_MOST_KEPT)

    def hear(self, rows: list[ApiEvent]) -> None:
        self._waiting.extend(rows)
        self.wake()

    async def rows(self, watch: Watch) -> AsyncIterator[list[ApiEvent]]:
        """None of them every few seconds of quiet; ends as `Listener.wakings` does."""
        async for is_told in self.wakings(watch):
            rows = list(self._waiting)
            self._waiting.clear()
            if rows or not is_told:
                yield rows


class ApiFeed(Pump[Reader]):
    def read(self) -> AbstractContextManager[Reader]:
        return self.tell(Reader())

    @override
    async def pump(self, begun: Callable[[], None]) -> None:
        seen = await in_patient_reader(_newest, self.workspace_pk)
        begun()
        while True:
            rows = await in_patient_reader(_fresh, self.workspace_pk, seen)
            if rows:
                seen |= {row.pk for row in rows}
                oldest = max(seen) - 2 * _TRAILING
                seen = {key for key in seen if key > oldest}
                for reader in self.listeners:
                    reader.hear(rows)
            await asyncio.sleep(_EVERY_S)


def _newest(workspace_pk: int) -> set[int]:
    events = Workspace(pk=workspace_pk).api_events.order_by("-id")
    return set(events.values_list("id", flat=True)[: 2 * _TRAILING])


def _fresh(workspace_pk: int, seen: set[int]) -> list[ApiEvent]:
    """Rows that nobody was told of: first their ids, which are cheap, then the rows."""
    events = Workspace(pk=workspace_pk).api_events
    after = max(seen, default=0) - _TRAILING
    keys = [key for key in events.filter(id__gt=after).order_by("id").values_list("id", flat=True) if key not in seen]
    return list(events.filter(pk__in=keys[:_MOST_KEPT]).order_by("id")) if keys else []


api_feeds = Pumps(ApiFeed)
