"""One connection to one server, kept as long as it is used. Everything here runs on the process's loop thread."""

import asyncio
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

import mcp_types
from mcp import Client, MCPError
from mcp.client.session import IncomingMessage
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost

from agents.mcp.config import MCPServerConfig
from agents.mcp.errors import McpError, SessionLost
from agents.mcp.failures import explain
from agents.mcp.listing import MAX_TOOLS, usable
from agents.mcp.remote_tool import RemoteTool
from agents.mcp.running_call import RunningCall
from agents.mcp.server_requests import ServerRequests
from agents.mcp.traffic import Traffic
from agents.mcp.transport import open_streams

Result = TypeVar("Result")
HANDSHAKE_S = 30.0
IDLE_S = 300.0
_FRESH_S = 300.0
"""A listing is read again after so long, also from a server that never says that it has changed."""
_FAREWELL_S = 5.0
_MOST_PAGES = 16
_CLIENT = mcp_types.Implementation(name="mash", version="0.1.0")


class Connection:
    """`open` it first. A retired connection ends the calls that it has and takes no new ones."""

    def __init__(self, config: MCPServerConfig, *, allowed_hosts: Iterable[str]) -> None:
        self.config = config
        self.is_retired = False
        self._traffic = Traffic()
        self._requests = ServerRequests(config)
        self._streams = open_streams(config, self._traffic, allowed_hosts=allowed_hosts)
        self._opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._failure: McpError | None = None
        self._calls = 0
        self._used_at = self._now()
        self._listing: tuple[RemoteTool, ...] | None = None
        self._has_changed = False
        self._listed_at = 0.0
        self._listing_lock = asyncio.Lock()
        self._task = asyncio.create_task(self._live())

    @property
    def is_usable(self) -> bool:
        return not (self.is_retired or self._task.done() or self._traffic.over.is_set())

    async def open(self) -> None:
        try:
            await asyncio.shield(self._opened)
        except asyncio.CancelledError:
            self._task.cancel()
            raise

    def retire(self) -> None:
        self.is_retired = True

    async def close(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def tools(self) -> tuple[RemoteTool, ...]:
        """All pages of the listing, from the cache unless the server said that it has changed."""
        async with self._listing_lock:
            if self._listing is None or self._now() - self._listed_at > _FRESH_S:
                self._listed_at, self._has_changed = self._now(), False
                found = await self._asked(self._list(), HANDSHAKE_S)
                self._listing = None if self._has_changed else found
                return found
            return self._listing

    async def call(self, name: str, arguments: dict[str, Any], call: RunningCall) -> mcp_types.CallToolResult:
        with self._requests.during(call):
            return await self._asked(self._opened.result().call_tool(name, arguments), None)

    async def _live(self) -> None:
        """Owns the SDK's client from the first byte to the last: its scopes must end in the task that began them."""
        try:
            async with asyncio.timeout(HANDSHAKE_S) as limit, self._client() as client:
                self._opened.set_result(client)
                limit.reschedule(None)
                listener = asyncio.create_task(self._listen(client))
                try:
                    await self._until_unused()
                finally:
                    listener.cancel()
                    limit.reschedule(self._now() + _FAREWELL_S)
        except asyncio.CancelledError:
            self._end(McpError("The connection was closed."))
            raise
        except (Exception, BaseExceptionGroup) as error:
            # Whatever the SDK raises means that this server is out of reach.
            self._end(explain(error, self.config, self._traffic))
        else:
            self._end(explain(McpError("The connection was closed."), self.config, self._traffic))

    def _client(self) -> Client:
        return Client(
            self._streams,
            client_info=_CLIENT,
            cache=None,
            message_handler=self._notice,
            sampling_callback=self._requests.sample if self.config.allow_sampling else None,
            elicitation_callback=self._requests.elicit if self.config.allow_elicitation else None,
        )

    def _end(self, failure: McpError) -> None:
        self._failure = failure
        self._traffic.over.set()
        if not self._opened.done():
            self._opened.set_exception(failure)
            self._opened.exception()  # nobody may be waiting for it

    async def _until_unused(self) -> None:
        while not self._traffic.over.is_set():
            is_idle = self.is_retired or self._now() - self._used_at > IDLE_S
            if is_idle and not self._calls:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._traffic.over.wait()

    async def _listen(self, client: Client) -> None:
        """Newer servers tell of changes on a stream that is asked for; older ones tell `_notice` unasked."""
        with suppress(ListenNotSupportedError, SubscriptionLost, MCPError):
            async with client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    self._forget_listing()

    async def _notice(self, message: IncomingMessage) -> None:
        if isinstance(message, mcp_types.ToolListChangedNotification):
            self._forget_listing()

    def _forget_listing(self) -> None:
        self._listing, self._has_changed = None, True

    async def _list(self) -> tuple[RemoteTool, ...]:
        client, cursor = self._opened.result(), None
        listed: list[mcp_types.Tool] = []
        if client.server_capabilities.tools is None:
            return ()
        for _ in range(_MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            listed += page.tools
            cursor = page.next_cursor
            if not cursor or len(listed) >= MAX_TOOLS:
                break
        return tuple(islice(usable(listed), MAX_TOOLS))

    async def _asked(self, answer: Awaitable[Result], seconds: float | None) -> Result:
        """The answer, or one of our own errors. After a failure to answer the connection is not used again."""
        self._calls += 1
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except asyncio.CancelledError:
            # Perhaps the caller ran out of patience, and what we send may be stuck behind its request.
            self.retire()
            raise
        except MCPError as error:
            raise await self._error(error) from error
        except Exception as error:
            self.retire()
            raise explain(error, self.config, self._traffic) from error
        finally:
            self._calls -= 1
            self._used_at = self._now()

    async def _error(self, error: MCPError) -> McpError:
        if self._traffic.is_session_lost:
            self.retire()
            return SessionLost("The server has ended the session.")
        if error.code == mcp_types.CONNECTION_CLOSED:
            self.retire()
            # The reason is known a moment after those who wait have been woken.
            await asyncio.wait([self._task], timeout=1)
            return self._failure or explain(error, self.config, self._traffic)
        return explain(error, self.config, self._traffic)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
