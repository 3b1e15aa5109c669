"""New rows of the API log, read once a moment per process for everybody who watches (promise 8)."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.readers import in_patient_reader
from telemetry.models import ApiEvent
from workspaces.models import Workspace

_EVERY_S = 0.5
_MOST_KEPT = 200
# Ids are drawn before their transactions commit: a smaller one may show up after a larger one.
_TRAILING = 200


class Reader:
    """Somebody's unread rows; the oldest are forgotten when nobody takes them."""

    def __init__(self) -> None:
        self.waiting: deque[ApiEvent] = deque(maxlen=_MOST_KEPT)
        self.missed = 0
        self.woken = asyncio.Event()

    def tell(self, rows: list[ApiEvent]) -> None:
        self.missed += max(0, len(self.waiting) + len(rows) - _MOST_KEPT)
        self.waiting.extend(rows)
        self.woken.set()

    async def wait(self, seconds: float) -> bool:
        """True when there are rows."""
        try:
            await asyncio.wait_for(self.woken.wait(), seconds)
        except TimeoutError:
            return False
        self.woken.clear()
        return True


class ApiFeed:
    def __init__(self) -> None:
        self._readers: defaultdict[int, set[Reader]] = defaultdict(set)
        self._pumps: dict[int, asyncio.Task[None]] = {}

    @contextmanager
    def read(self, workspace_pk: int) -> Iterator[Reader]:
        reader = Reader()
        self._readers[workspace_pk].add(reader)
        pump = self._pumps.get(workspace_pk)
        if pump is None or pump.done():
            self._pumps[workspace_pk] = asyncio.ensure_future(self._pump(workspace_pk))
        try:
            yield reader
        finally:
            self._readers[workspace_pk].discard(reader)
            if not self._readers[workspace_pk]:
                del self._readers[workspace_pk]
                self._pumps.pop(workspace_pk).cancel()

    async def _pump(self, workspace_pk: int) -> None:
        events = Workspace(pk=workspace_pk).api_events
        newest = await in_patient_reader(lambda: events.order_by("-id").values_list("id", flat=True).first() or 0)
        seen = set(range(max(0, newest - _TRAILING), newest + 1))
        while True:
            await asyncio.sleep(_EVERY_S)
            rows = await in_patient_reader(_fresh, workspace_pk, max(0, newest - _TRAILING), seen)
            if rows:
                newest = max(newest, rows[-1].pk)
                seen = {key for key in seen if key > newest - 2 * _TRAILING} | {row.pk for row in rows}
                for reader in self._readers.get(workspace_pk, ()):
                    reader.tell(rows)


def _fresh(workspace_pk: int, after: int, seen: set[int]) -> list[ApiEvent]:
    """Rows that nobody was told of: first their ids, which are cheap, then the rows."""
    events = Workspace(pk=workspace_pk).api_events
    keys = [key for key in events.filter(id__gt=after).values_list("id", flat=True) if key not in seen]
    return list(events.filter(pk__in=keys[:_MOST_KEPT]).order_by("id")) if keys else []


api_feed = ApiFeed()
