"""Opens the streams to a server: streamable HTTP through the guarded client, or a process with a clean environment."""

import os
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager
from tempfile import TemporaryDirectory
from typing import TextIO

import httpx2
from mcp.client._transport import TransportStreams
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from agents.mcp.config import MCPServerConfig, endpoint
from agents.mcp.traffic import Traffic, WatchedStream
from workspaces.outbound_async import guarded_async_client

MAX_RESPONSE_BYTES = 4 * 1024 * 1024
_CONNECT_S = 10
_SILENCE_S = 300
"""How long an answer may stall; the limit of a call is shorter, and is kept elsewhere."""


@asynccontextmanager
async def open_streams(
    config: MCPServerConfig, traffic: Traffic, *, allowed_hosts: Iterable[str]
) -> AsyncIterator[TransportStreams]:
    opening = _open_process(config) if config.is_local else _open_http(config, traffic, allowed_hosts)
    async with opening as (incoming, outgoing):
        yield WatchedStream(incoming, traffic), outgoing


@asynccontextmanager
async def _open_http(
    config: MCPServerConfig, traffic: Traffic, allowed_hosts: Iterable[str]
) -> AsyncIterator[TransportStreams]:
    # A server that waits for a person's answer may have nothing to send for as long.
    silence = 3_700 if config.allow_elicitation else _SILENCE_S
    client = guarded_async_client(
        allowed_hosts=allowed_hosts,
        headers=config.headers,
        timeout=httpx2.Timeout(_CONNECT_S, read=max(silence, config.timeout_s)),
        max_response_bytes=MAX_RESPONSE_BYTES,
    )
    client.event_hooks = {"request": [], "response": [traffic.note_response]}
    async with client, streamable_http_client(endpoint(config.url), http_client=client) as streams:
        yield streams


@asynccontextmanager
async def _open_process(config: MCPServerConfig) -> AsyncIterator[TransportStreams]:
    """The process gets a home of its own, the search path, and what its configuration says; no more."""
    with ExitStack() as stack:
        home = stack.enter_context(TemporaryDirectory(prefix="mash-mcp-", ignore_cleanup_errors=True))
        no_log = stack.enter_context(_open_nowhere())
        own = {"HOME": home, "USER": "", "LOGNAME": "", "SHELL": "/bin/sh", "TERM": "dumb"}
        process = StdioServerParameters(
            command=config.command, args=list(config.args), env={**own, **config.env}, cwd=home
        )
        async with stdio_client(process, errlog=no_log) as streams:
            yield streams


def _open_nowhere() -> TextIO:
    """For what a server says on standard error, which may hold its secrets."""
    return open(os.devnull, "w")
