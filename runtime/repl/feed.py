"""Reads a request's events on a thread of its own, so that the reader can be asked something meanwhile."""

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from runtime.client import RequestEvent
from runtime.client.stream import RequestStream


class EventFeed:
    """A context manager; iterate over it for the events. What ends the stream in trouble is raised there."""

    def __init__(self, stream: RequestStream, *, on_arrival: Callable[[RequestEvent], None]) -> None:
        self._stream = stream
        self._on_arrival = on_arrival
        self._arrived: SimpleQueue[RequestEvent | Exception | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._read, name="events", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.stop()

    def __iter__(self) -> Iterator[RequestEvent]:
        while (item := self._arrived.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item

    def _read(self) -> None:
        try:
            for event in self._stream.events():
                self._on_arrival(event)
                self._arrived.put(event)
        except Exception as error:  # the top of a thread: the one who iterates hears of it
            self._arrived.put(error)
        else:
            self._arrived.put(None)
