"""Holds the sender back while a client reads too slowly.

Daphne hands every message to Twisted, whose buffer has no end. Twisted tells a registered producer when it has enough, so
whoever sends through here waits until the client has taken what is on its way.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from runtime.sse import Send


class Flow:
    """A push producer in Twisted's sense; all of it runs on the event loop."""

    def __init__(self) -> None:
        self._is_open = asyncio.Event()
        self._is_open.set()

    def is_ready(self) -> bool:
        return self._is_open.is_set()

    async def ready(self) -> None:
        """Returns when the connection takes more."""
        await self._is_open.wait()

    def pauseProducing(self) -> None:  # noqa: N802  Twisted's names
        self._is_open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._is_open.set()

    def stopProducing(self) -> None:  # noqa: N802
        self._is_open.set()


@contextmanager
def flow_of(send: Send) -> Iterator[Flow]:
    """The flow of the connection behind an ASGI `send`; under another server than Daphne it never holds back."""
    flow = Flow()
    connection = _connection(send)
    if connection is None:
        yield flow
        return
    # The HTTP channel that the socket came out of is registered still, and has nothing more to produce.
    connection.unregisterProducer()
    connection.registerProducer(flow, True)
    try:
        yield flow
    finally:
        # The connection may be gone, and its transport with it.
        with suppress(AttributeError):
            connection.unregisterProducer()


def limit_messages(send: Send, most_bytes: int) -> None:
    """Closes the socket on a larger message, rather than gather it in memory; Daphne has no option for that."""
    connection = _connection(send)
    if connection is not None:
        connection.maxFramePayloadSize = connection.maxMessagePayloadSize = most_bytes


def _connection(send: Send) -> Any:
    """Daphne's protocol object, which it binds to the callable."""
    bound = send.args if isinstance(send, partial) else ()
    return next((each for each in bound if hasattr(each, "registerProducer")), None)
