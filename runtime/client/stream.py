"""Follows one request over as many connections as it takes, giving each event once."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Generator, Iterator

import httpx
from httpx_sse import ServerSentEvent, connect_sse

from runtime.client.errors import MashHostClientError, refused, unreachable
from runtime.client.events import RequestEvent

logger = logging.getLogger(__name__)

# The server writes at least a comment every 15 s: three missed ones mean that nobody is there.
SILENCE_S = 45.0
RETRY_S = 1.0
MAX_DELAY_S = 30.0
MAX_FAILURES = 8
# A connection that held this long was a good one, whatever ended it.
STEADY_S = 5.0


class RequestStream:
    def __init__(self, http: httpx.Client, path: str, *, after_sequence: int = 0) -> None:
        self._http = http
        self._path = path
        self._cursor = after_sequence
        self._retry_s = RETRY_S
        self._failures = 0
        self._is_over = False
        self._stopped = threading.Event()
        self._response: httpx.Response | None = None

    def stop(self) -> None:
        """Ends the reading from another thread, also while it waits for the server."""
        self._stopped.set()
        response = self._response
        stream = response.extensions.get("network_stream") if response is not None else None
        connection = stream.get_extra_info("socket") if stream is not None else None
        if connection is not None:
            # Closing would not wake a thread that reads; this does. It may have ended by itself.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def events(self) -> Generator[RequestEvent, None, None]:
        """Every event after the cursor, until the server closes after a terminal one.

        A terminal event alone is no end: the log of a request that was cancelled and resumed holds two.
        """
        while self._goes_on():
            trouble = MashHostClientError("The stream ended early.", method="GET", path=self._path)
            try:
                yield from self._listen()
            except httpx.RequestError as error:
                trouble = unreachable(error, method="GET", path=self._path)
            except MashHostClientError as error:
                if not error.is_passing:
                    raise
                trouble = error
            if self._goes_on():
                self._pause(trouble)

    def _goes_on(self) -> bool:
        return not (self._is_over or self._stopped.is_set())

    def _listen(self) -> Iterator[RequestEvent]:
        """The events of one connection; a read waits as long as keep-alives come."""
        timeout = httpx.Timeout(SILENCE_S, connect=10.0)
        headers = {"Last-Event-ID": str(self._cursor)} if self._cursor else {}
        with connect_sse(self._http, "GET", self._path, headers=headers, timeout=timeout) as source:
            if source.response.is_error:
                source.response.read()
                raise refused(source.response)
            self._is_over = source.response.status_code == httpx.codes.NO_CONTENT
            if self._is_over:
                return
            opened_at = time.monotonic()
            self._response = source.response
            if self._stopped.is_set():
                return
            try:
                yield from self._delivered(source.iter_sse())
            finally:
                self._response = None
                if time.monotonic() - opened_at >= STEADY_S:
                    self._failures = 0

    def _delivered(self, frames: Iterator[ServerSentEvent]) -> Iterator[RequestEvent]:
        last_id = ""
        for frame in frames:
            if frame.retry is not None:
                self._retry_s = frame.retry / 1000
            # A frame without an id shows that of the frame before it: so the standard has it.
            sequence = int(frame.id) if frame.id != last_id and frame.id.isdecimal() else None
            last_id = frame.id
            if not frame.data or (sequence is not None and sequence <= self._cursor):
                continue
            event = self._parsed(frame, sequence)
            self._cursor = sequence or self._cursor
            self._failures = 0
            self._is_over = event.is_terminal
            yield event

    def _parsed(self, frame: ServerSentEvent, sequence: int | None) -> RequestEvent:
        try:
            data = frame.json()
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise MashHostClientError(
                f"The stream holds a {frame.event} that is not a JSON object.",
                method="GET",
                path=self._path,
                status=200,
            )
        return RequestEvent(name=frame.event, data=data, sequence=sequence)

    def _pause(self, trouble: MashHostClientError) -> None:
        """Waits before the next connection: the server's own delay, doubled with each failure in a row."""
        self._failures += 1
        if self._failures > MAX_FAILURES:
            raise trouble
        delay = min(MAX_DELAY_S, self._retry_s * 2 ** (self._failures - 1))
        logger.debug("Stream interrupted, again in %.1f s: %s", delay, trouble, extra={"action": "client.reconnect"})
        self._stopped.wait(delay)
