"""The events of servers in a request's log (contract 3.4)."""

from collections.abc import Callable, Mapping
from typing import Any

from agents.llm.types import LLMProvider, LLMTokenUsage
from agents.mcp.config import MCPServerConfig

Emit = Callable[[str, Mapping[str, Any]], None]


class Told:
    """Tells of one server. May be called from any thread; the events hold none of the server's secrets."""

    def __init__(self, emit: Emit, config: MCPServerConfig) -> None:
        self._emit, self._config = emit, config

    def connect(self) -> None:
        self._event("mcp.client.connect")

    def connected(self, *, duration_ms: int, tool_count: int) -> None:
        self._event("mcp.client.connected", duration_ms=duration_ms, metadata={"tool_count": tool_count})

    def disconnect(self) -> None:
        self._event("mcp.client.disconnect")

    def client_error(self, error: str) -> None:
        self._event("mcp.client.error", error=self._config.redact(error))

    def tool_call(self, name: str) -> None:
        self._event("mcp.tool.call", tool_name=name)

    def tool_result(self, name: str, *, duration_ms: int) -> None:
        self._event("mcp.tool.result", tool_name=name, duration_ms=duration_ms)

    def tool_error(self, name: str, error: str, *, duration_ms: int) -> None:
        self._event("mcp.tool.error", tool_name=name, duration_ms=duration_ms, error=self._config.redact(error))

    def sampled(self, llm: LLMProvider, usage: LLMTokenUsage) -> None:
        """A call of the agent's model for the server, which is metered as the agent's own."""
        self._event("mcp.sampling.complete", provider=llm.provider, model=llm.model, usage=usage.as_dict())

    def _event(self, event_type: str, **fields: Any) -> None:
        about = {"server_name": self._config.name, "server_url": self._config.shown_address}
        self._emit(event_type, {**about, **fields, "payload": {}})
