"""The guard of `outbound.py` for asynchronous clients: the same checks, and a limit on the size of each answer."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import cast

import httpcore2
import httpx2
from typing_extensions import override

from workspaces.bounded_network import SocketOption
from workspaces.outbound import (
    KEEP_ALIVE,
    POOL_LIMITS,
    AddressRefused,
    Guard,
    Resolver,
    refuse_userinfo,
    resolve_by_system,
    time_left,
)


class ResponseRefused(httpx2.StreamError):
    """The answer is larger than its reader wants, or packed so that its size cannot be known."""


def guarded_async_client(
    *,
    allowed_hosts: Iterable[str] = (),
    resolve: Resolver | None = None,
    ssl_context: ssl.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: httpx2.Timeout | None = None,
    max_response_bytes: int,
) -> httpx2.AsyncClient:
    """A client that refuses private addresses, except of the hosts named; it follows no redirect and asks no proxy."""
    backend = AsyncGuardedBackend(Guard(allowed_hosts, resolve or resolve_by_system))
    transport = AsyncGuardedTransport(backend, ssl_context or httpx2.create_ssl_context(), max_response_bytes)
    return httpx2.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        headers={**(headers or {}), "Accept-Encoding": "identity"},
        timeout=timeout or httpx2.Timeout(30),
    )


class AsyncGuardedBackend(httpcore2.AsyncNetworkBackend):
    """Resolves in a thread, checks, and connects to what was checked."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._connector = httpcore2.AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        deadline = None if timeout is None else time.monotonic() + timeout
        addresses = await self._addresses(host, port, deadline)
        for address in addresses[:-1]:
            try:
                return await self._connector.connect_tcp(
                    address, port, time_left(deadline), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._connector.connect_tcp(
            addresses[-1], port, time_left(deadline), local_address, socket_options
        )

    @override
    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise AddressRefused(path)

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int, deadline: float | None) -> list[str]:
        try:
            async with asyncio.timeout(time_left(deadline)):
                return await asyncio.to_thread(self._guard.addresses, host, port)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"The name {host} was not resolved in time.") from error


class AsyncGuardedTransport(httpx2.AsyncHTTPTransport):
    """httpx2's own transport on a pool with our network backend, for which it has no argument."""

    def __init__(self, backend: AsyncGuardedBackend, ssl_context: ssl.SSLContext, max_response_bytes: int) -> None:
        super().__init__(verify=ssl_context, trust_env=False)
        self._max_response_bytes = max_response_bytes
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl_context,
            max_connections=POOL_LIMITS.max_connections,
            max_keepalive_connections=POOL_LIMITS.max_keepalive_connections,
            keepalive_expiry=POOL_LIMITS.keepalive_expiry,
            network_backend=backend,
            socket_options=KEEP_ALIVE,
        )

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        refuse_userinfo(request)
        response = await super().handle_async_request(request)
        # An asynchronous transport's streams are; the library types them as either kind.
        stream = cast(httpx2.AsyncByteStream, response.stream)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            # A few packed bytes may unfold to gigabytes.
            await stream.aclose()
            raise httpx2.RemoteProtocolError("The answer is compressed although that was not asked for.")
        response.stream = _CappedStream(stream, self._max_response_bytes)
        return response


class _CappedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream, self._limit = stream, limit

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            if received > self._limit:
                raise ResponseRefused(f"The answer is larger than {self._limit} bytes.")
            yield chunk

    @override
    async def aclose(self) -> None:
        await self._stream.aclose()
