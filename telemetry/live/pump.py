"""A reader of the database that runs while somebody wants what it reads, once per process and workspace."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from runtime.hub import Watch
from runtime.sse import KEEP_ALIVE_S

logger = logging.getLogger(__name__)


class Listener:
    """Somebody whom a pump tells; what they are told waits until they take it."""

    def __init__(self) -> None:
        self._has_ended = False
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def end(self) -> None:
        """Nothing more is told; the client comes back with its cursor, to a pump that begins anew."""
        self._has_ended = True
        self._woken.set()

    async def wakings(self, watch: Watch) -> AsyncIterator[bool]:
        """True when something was told, False every few seconds of quiet.

        Ends with the pump, or when the watcher may no longer see the workspace.
        """
        while not (watch.is_over or self._has_ended):
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await self._woken.wait()
            except TimeoutError:
                yield False
                continue
            self._woken.clear()
            yield True


SomeListener = TypeVar("SomeListener", bound=Listener)


class Pump(ABC, Generic[SomeListener]):
    """Tells everything that happens after its beginning, so whoever waits for that first misses nothing."""

    def __init__(self, workspace_pk: int) -> None:
        self.workspace_pk = workspace_pk
        self.listeners: set[SomeListener] = set()
        self._has_begun = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def pump(self, begun: Callable[[], None]) -> None:
        """Reads and tells for ever; calls `begun` once it knows where it begins."""

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

    @contextmanager
    def tell(self, listener: SomeListener) -> Iterator[SomeListener]:
        """Tells them of everything from here on."""
        self.listeners.add(listener)
        try:
            yield listener
        finally:
            self.listeners.discard(listener)

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
            for listener in self.listeners:
                listener.end()


SomePump = TypeVar("SomePump", bound=Pump[Any])


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
