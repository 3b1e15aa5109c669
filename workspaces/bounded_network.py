"""Network calls that end as a whole by a deadline, and at once when another thread aborts them.

httpx2 bounds each read, so a server that trickles bytes outlasts any time-out, and a thread that waits for bytes cannot be
reached. Here every wait of a bounded call is shortened to what is left of its time, and whoever aborts it wakes the wait.
The connection is then broken, so its pool drops it.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from ssl import SSLContext
from typing import Any

import httpcore2
import httpx2
from typing_extensions import override

SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
Connect = Callable[[float | None], httpcore2.NetworkStream]


class CallBounds:
    """The time that the calls of one thread may take together, and the handle by which another thread ends them."""

    def __init__(self, seconds: float | None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._lock = threading.Lock()
        self._wake: Callable[[], None] | None = None
        self._is_aborted = False

    def abort(self) -> None:
        """Ends the wait that is under way, and every later one before it begins."""
        with self._lock:
            self._is_aborted = True
            if self._wake:
                self._wake()

    def left(self, timeout: float | None, too_late: type[httpcore2.TimeoutException]) -> float | None:
        """The shorter of `timeout` and what is left; raises `too_late` when nothing is."""
        if self._deadline is None:
            return timeout
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise too_late("The call has used up its time.")
        return seconds if timeout is None else min(timeout, seconds)

    @contextmanager
    def waiting(self, wake: Callable[[], None]) -> Iterator[None]:
        """A wait that `wake` ends early; `wake` is only called while the block runs."""
        with self._lock:
            self._check()
            self._wake = wake
        try:
            yield
        finally:
            with self._lock:
                self._wake = None
        self._check()

    def _check(self) -> None:
        if self._is_aborted:
            raise httpcore2.ReadError("The call was aborted.")


_current: ContextVar[CallBounds | None] = ContextVar("call_bounds", default=None)


@contextmanager
def bounded(seconds: float | None) -> Iterator[CallBounds]:
    """All calls of this thread within the block, through clients of `make_bounded`, take so long together at most."""
    bounds = CallBounds(seconds)
    token = _current.set(bounds)
    try:
        yield bounds
    finally:
        _current.reset(token)


def make_bounded(client: httpx2.Client) -> httpx2.Client:
    """The same client on a network backend that knows `bounded`; httpx2 has no argument for that."""
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx2.HTTPTransport):
            pool: Any = transport._pool
            pool._network_backend = BoundedBackend(pool._network_backend)
    return client


class BoundedBackend(httpcore2.NetworkBackend):
    def __init__(self, inner: httpcore2.NetworkBackend) -> None:
        self._inner = inner

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.NetworkStream:
        def connect(seconds: float | None) -> httpcore2.NetworkStream:
            return self._inner.connect_tcp(host, port, seconds, local_address, socket_options)

        bounds = _current.get()
        return BoundedStream(_connected(connect, timeout, bounds) if bounds else connect(timeout))

    @override
    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SocketOption] | None = None
    ) -> httpcore2.NetworkStream:
        return BoundedStream(self._inner.connect_unix_socket(path, timeout, socket_options))


class BoundedStream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        bounds = _current.get()
        if bounds is None:
            return self._inner.read(max_bytes, timeout)
        seconds = bounds.left(timeout, httpcore2.ReadTimeout)
        with bounds.waiting(self._shut_down):
            return self._inner.read(max_bytes, seconds)

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        bounds = _current.get()
        if bounds is None:
            self._inner.write(buffer, timeout)
            return
        seconds = bounds.left(timeout, httpcore2.WriteTimeout)
        with bounds.waiting(self._shut_down):
            self._inner.write(buffer, seconds)

    @override
    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        bounds = _current.get()
        if bounds is None:
            return BoundedStream(self._inner.start_tls(ssl_context, server_hostname, timeout))
        seconds = bounds.left(timeout, httpcore2.ConnectTimeout)
        # The socket is taken over by another object before the handshake, so it is reached by a second descriptor.
        descriptor = os.dup(self._inner.get_extra_info("socket").fileno())
        with socket.socket(fileno=descriptor) as same, bounds.waiting(lambda: _shut_down(same)):
            return BoundedStream(self._inner.start_tls(ssl_context, server_hostname, seconds))

    @override
    def close(self) -> None:
        self._inner.close()

    @override
    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def _shut_down(self) -> None:
        _shut_down(self._inner.get_extra_info("socket"))


def _shut_down(connection: socket.socket) -> None:
    """Wakes whoever reads or writes; closing the descriptor from another thread would not."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _connected(connect: Connect, timeout: float | None, bounds: CallBounds) -> httpcore2.NetworkStream:
    """Connects in a thread of its own, as neither name resolution nor a connection in the making can be interrupted."""
    seconds = bounds.left(timeout, httpcore2.ConnectTimeout)
    attempt = _Attempt(connect, seconds)
    try:
        with bounds.waiting(attempt.has_ended.set):
            threading.Thread(target=attempt.run, name="connecting", daemon=True).start()
            attempt.has_ended.wait(seconds)
    except httpcore2.ReadError as error:
        attempt.abandon()
        raise httpcore2.ConnectError("The call was aborted.") from error
    return attempt.result()


class _Attempt:
    """One connection in the making; if nobody waits for it any more it is closed as soon as it stands."""

    def __init__(self, connect: Connect, seconds: float | None) -> None:
        self._connect = connect
        self._seconds = seconds
        self._lock = threading.Lock()
        self._stream: httpcore2.NetworkStream | None = None
        self._error: BaseException | None = None
        self._is_abandoned = False
        self.has_ended = threading.Event()

    def run(self) -> None:
        try:
            stream = self._connect(self._seconds)
        except BaseException as error:  # raised again by whoever waits
            self._error = error
        else:
            with self._lock:
                self._stream = stream
                if self._is_abandoned:
                    stream.close()
        self.has_ended.set()

    def result(self) -> httpcore2.NetworkStream:
        if self._error:
            raise self._error
        if stream := self._stream:
            return stream
        self.abandon()
        raise httpcore2.ConnectTimeout("No connection came about in time.")

    def abandon(self) -> None:
        with self._lock:
            self._is_abandoned = True
            if self._stream:
                self._stream.close()
