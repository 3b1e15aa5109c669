"""Watches what arrives on a connection: its end, a lost session, a flood."""

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import httpx2
from mcp.client._transport import ReadStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCResponse

_SESSION_HEADER = "mcp-session-id"
_MOST_MESSAGES_A_MINUTE = 3_000


class Traffic:
    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.is_session_lost = False
        self.is_flood = False
        self.last_failure = 0
        """HTTP status of the last answer that was an error."""
        self._window_began = time.monotonic()
        self._messages = 0

    async def note_response(self, response: httpx2.Response) -> None:
        """For httpx2's hook. A 404 to a request with a session id means that the server has forgotten the session."""
        if response.status_code >= 400:
            self.last_failure = response.status_code
        if response.status_code == 404 and _SESSION_HEADER in response.request.headers:
            self.is_session_lost = True

    def count(self) -> None:
        now = time.monotonic()
        if now - self._window_began > 60:
            self._window_began, self._messages = now, 0
        self._messages += 1
        self.is_flood = self._messages > _MOST_MESSAGES_A_MINUTE


class WatchedStream:
    """The SDK's stream of incoming messages; it ends early when a server floods it."""

    def __init__(self, stream: ReadStream[SessionMessage | Exception], traffic: Traffic) -> None:
        self._stream, self._traffic = stream, traffic

    @property
    def last_context(self) -> contextvars.Context | None:
        """By this the SDK finds the context of the request that a message belongs to."""
        return getattr(self._stream, "last_context", None)

    async def receive(self) -> SessionMessage | Exception:
        return await self._watched(self._stream.receive)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        return await self._watched(self._stream.__anext__)

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> bool | None:
        self._traffic.over.set()
        return await self._stream.__aexit__(exc_type, exc_val, exc_tb)

    async def _watched(self, take: Callable[[], Awaitable[SessionMessage | Exception]]) -> SessionMessage | Exception:
        item = await take()
        self._traffic.count()
        if self._traffic.is_flood:
            raise StopAsyncIteration
        if isinstance(item, SessionMessage) and isinstance(item.message, JSONRPCResponse):
            _drop_output_schemas(item.message.result)
        return item


def _drop_output_schemas(result: dict[str, Any]) -> None:
    """The SDK would check answers against them on the loop, where a server's own regular expression could halt everyone."""
    tools = result.get("tools")
    for tool in tools if isinstance(tools, list) else []:
        if isinstance(tool, dict):
            tool.pop("outputSchema", None)
