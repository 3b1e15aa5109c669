"""Puts what went wrong with a server into words that may be shown: to the model, in the log, in the admin."""

from collections.abc import Iterator

import httpx2
from mcp import MCPError

from agents.mcp.config import MCPServerConfig
from agents.mcp.errors import McpError
from agents.mcp.traffic import Traffic
from workspaces.outbound import UserinfoRefused, refusal_behind
from workspaces.outbound_async import ResponseRefused

_LONGEST = 1_000
# The first that fits: a time-out is an OSError too.
_TEXTS: tuple[tuple[type[BaseException], str], ...] = (
    (httpx2.ConnectError, "The server cannot be reached."),
    (TimeoutError, "The server did not answer in time."),
    (httpx2.TimeoutException, "The server did not answer in time."),
    (httpx2.TransportError, "The connection to the server broke."),
    (OSError, "The server could not be started."),
)


def explain(error: BaseException, config: MCPServerConfig, traffic: Traffic) -> McpError:
    if traffic.is_flood:
        return McpError("The server sent too many messages.")
    causes = list(_leaves(error))
    text = next((text for cause in causes if (text := _told(cause))), "The server does not keep to the protocol.")
    if traffic.last_failure and any(isinstance(cause, MCPError) for cause in causes):
        text = f"{text} (HTTP {traffic.last_failure})"
    return McpError(config.redact(text)[:_LONGEST])


def _told(error: BaseException) -> str:
    if (refusal := refusal_behind(error)) is not None:
        return str(refusal)
    if isinstance(error, MCPError):
        return error.error.message
    if isinstance(error, (UserinfoRefused, ResponseRefused, McpError)):
        return str(error)
    return next((text for kind, text in _TEXTS if isinstance(error, kind)), "")


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
