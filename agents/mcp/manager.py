"""The connections of one process, made when first needed and kept from one request to the next."""

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import mcp_types

from agents.mcp.config import MCPServerConfig
from agents.mcp.connection import Connection
from agents.mcp.errors import McpError, SessionLost
from agents.mcp.loop_thread import LoopThread
from agents.mcp.remote_tool import RemoteTool
from agents.mcp.running_call import RunningCall
from agents.mcp.told import Told

_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 300.0
ServerKey = tuple[int, int]
"""Workspace and server: nothing is shared between workspaces, nor between two servers at the same address."""


@dataclass(frozen=True, slots=True)
class _Failure:
    digest: str
    message: str
    pause_s: float
    until: float


class Manager:
    """Called from any thread; what it keeps is touched on its loop only. Each server fails for itself."""

    def __init__(self, allowed_hosts: Callable[[], Iterable[str]]) -> None:
        self._allowed_hosts = allowed_hosts
        self._thread = LoopThread("mcp")
        self._connections: dict[ServerKey, Connection] = {}
        self._opening: dict[ServerKey, asyncio.Lock] = {}
        self._failures: dict[ServerKey, _Failure] = {}

    def tools(self, key: ServerKey, config: MCPServerConfig, told: Told) -> "Future[tuple[RemoteTool, ...]]":
        """What the server offers; fails with an `McpError`."""
        return self._thread.submit(self._tools(key, config, told))

    def call(
        self,
        key: ServerKey,
        config: MCPServerConfig,
        told: Told,
        *,
        name: str,
        arguments: dict[str, Any],
        running: RunningCall,
    ) -> mcp_types.CallToolResult:
        """The tool's answer; raises `McpError`."""
        future = self._thread.submit(self._call(key, config, told, name, arguments, running))
        return running.wait(future, config.timeout_s)

    def close(self) -> None:
        """Closes every connection, and ends the thread."""
        self._thread.submit(self._close_all()).result()
        self._thread.stop()

    async def _tools(self, key: ServerKey, config: MCPServerConfig, told: Told) -> tuple[RemoteTool, ...]:
        connection = await self._connection(key, config, told)
        try:
            return await connection.tools()
        except SessionLost:
            told.disconnect()
            return await (await self._connection(key, config, told)).tools()

    async def _call(
        self,
        key: ServerKey,
        config: MCPServerConfig,
        told: Told,
        name: str,
        arguments: dict[str, Any],
        running: RunningCall,
    ) -> mcp_types.CallToolResult:
        connection = await self._connection(key, config, told)
        try:
            return await connection.call(name, arguments, running)
        except SessionLost:
            told.disconnect()
            connection = await self._connection(key, config, told)
            return await connection.call(name, arguments, running)

    async def _connection(self, key: ServerKey, config: MCPServerConfig, told: Told) -> Connection:
        async with self._opening.setdefault(key, asyncio.Lock()):
            held = self._connections.get(key)
            if held is not None and held.is_usable and held.config.digest == config.digest:
                return held
            if held is not None:
                held.retire()
                del self._connections[key]
            self._check_pause(key, config)
            began = time.monotonic()
            try:
                connection = await self._open(config, told)
            except McpError as error:
                self._note_failure(key, config, str(error), took_s=time.monotonic() - began)
                raise
            self._failures.pop(key, None)
            self._connections[key] = connection
            return connection

    async def _open(self, config: MCPServerConfig, told: Told) -> Connection:
        began = time.monotonic()
        told.connect()
        connection = Connection(config, allowed_hosts=self._allowed_hosts())
        await connection.open()
        try:
            tools = await connection.tools()
        except BaseException:
            connection.retire()
            raise
        told.connected(duration_ms=round((time.monotonic() - began) * 1000), tool_count=len(tools))
        return connection

    def _check_pause(self, key: ServerKey, config: MCPServerConfig) -> None:
        failure = self._failures.get(key)
        if failure is not None and failure.digest == config.digest and time.monotonic() < failure.until:
            raise McpError(f"{failure.message} It is not tried again for up to {failure.pause_s:g} seconds.")

    def _note_failure(self, key: ServerKey, config: MCPServerConfig, message: str, *, took_s: float) -> None:
        """A server that is down, or lets callers wait for nothing, costs only the first few turns."""
        before = self._failures.get(key)
        is_again = before is not None and before.digest == config.digest
        pause = before.pause_s * 2 if before and is_again else max(_FIRST_PAUSE_S, took_s)
        pause = min(pause, _LONGEST_PAUSE_S)
        self._failures[key] = _Failure(config.digest, message, pause, time.monotonic() + pause)

    async def _close_all(self) -> None:
        connections, self._connections = list(self._connections.values()), {}
        await asyncio.gather(*(connection.close() for connection in connections))
