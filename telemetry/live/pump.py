"""A reader of the database that runs while somebody wants what it reads, once per process and workspace."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)


class Pump(ABC):
    """Tells everything that happens after its beginning, so whoever waits for that first misses nothing."""

    def __init__(self, workspace_pk: int) -> None:
        self.workspace_pk = workspace_pk
        self._has_begun = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def pump(self, begun: Callable[[], None]) -> None:
        """Reads and tells for ever; calls `begun` once it knows where it begins."""

    @abstractmethod
    def dismiss(self) -> None:
        """Ends everybody who is told: it has broken off, and they come back to one that begins anew."""

    async def begin(self) -> None:
        """Returns when it runs. Raises what keeps it from running."""
        if self._task is None or self._task.done():
            self._has_begun.clear()
            self._task = asyncio.ensure_future(self._pump_until_it_breaks())
        begun = asyncio.ensure_future(self._has_begun.wait())
        try:
            await asyncio.wait({begun, self._task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            begun.cancel()
        if not self._has_begun.is_set():
            self._task.result()

    def end(self) -> None:
        if self._task:
            self._task.cancel()

    async def _pump_until_it_breaks(self) -> None:
        try:
            await self.pump(self._has_begun.set)
        except Exception:
            logger.warning(
                "What a workspace's pages are told broke off", exc_info=True, extra={"action": "pump.broken"}
            )
            raise
        finally:
            self.dismiss()


SomePump = TypeVar("SomePump", bound=Pump)


class Pumps(Generic[SomePump]):
    def __init__(self, kind: Callable[[int], SomePump]) -> None:
        self._kind = kind
        self._pumps: dict[int, SomePump] = {}
        self._users: defaultdict[int, int] = defaultdict(int)

    @contextmanager
    def of(self, workspace_pk: int) -> Iterator[SomePump]:
        """The workspace's pump, kept as long as anybody uses it."""
        if workspace_pk not in self._pumps:
            self._pumps[workspace_pk] = self._kind(workspace_pk)
        pump = self._pumps[workspace_pk]
        self._users[workspace_pk] += 1
        try:
            yield pump
        finally:
            self._users[workspace_pk] -= 1
            if not self._users[workspace_pk]:
                del self._users[workspace_pk], self._pumps[workspace_pk]
                pump.end()
