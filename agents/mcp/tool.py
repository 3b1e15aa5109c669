"""A tool of a server as the loop sees it."""

import time
from typing import Any

from typing_extensions import override

from agents.llm.types import LLMProvider
from agents.mcp.config import MCPServerConfig
from agents.mcp.errors import McpError
from agents.mcp.manager import Manager, ServerKey
from agents.mcp.remote_tool import RemoteTool
from agents.mcp.running_call import RunningCall
from agents.mcp.text import as_tool_result
from agents.mcp.told import Told
from agents.tools.base import Tool, ToolResult
from agents.tools.context import ToolContext

_MARGIN_S = 10
# A person may take an hour, and a server may ask its model several times; that is not the server's own time.
_PATIENCE_S = {"elicitation": 3_600, "sampling": 600}


class McpTool(Tool):
    """Hints of the server can make the tool more careful, or say that it only reads; no hint means: not to be repeated."""

    def __init__(
        self,
        *,
        name: str,
        remote: RemoteTool,
        key: ServerKey,
        config: MCPServerConfig,
        manager: Manager,
        llm: LLMProvider,
    ) -> None:
        self.name = name
        self.description = remote.definition["description"] or f"{remote.name} of {config.name}"
        # What the server says of its arguments is checked by the server: a pattern of its own could halt this process.
        self.parameters = {"type": "object"}
        self.requires_approval = remote.hint("destructive_hint")
        self.parallel_safe = remote.hint("read_only_hint") and not self.requires_approval
        if self.parallel_safe or (remote.hint("idempotent_hint") and not self.requires_approval):
            self.crash_policy = "idempotent"
        self.timeout_s = config.timeout_s + _MARGIN_S
        self.timeout_s += _PATIENCE_S["elicitation"] if config.allow_elicitation else 0
        self.timeout_s += _PATIENCE_S["sampling"] if config.allow_sampling else 0
        self._remote, self._key, self._config = remote, key, config
        self._manager, self._llm = manager, llm

    @override
    def to_llm_format(self) -> dict[str, Any]:
        schema = self._remote.definition["input_schema"]
        return {"name": self.name, "description": self.description, "input_schema": schema}

    @override
    def execute(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        told, began = Told(context.emit, self._config), time.monotonic()
        running = RunningCall(context, self._llm)
        told.tool_call(self._remote.name)
        try:
            answer = self._manager.call(
                self._key, self._config, told, name=self._remote.name, arguments=args, running=running
            )
        except McpError as error:
            result = ToolResult.error(str(error))
        else:
            result = as_tool_result(answer)
        result = ToolResult(self._config.redact(result.content), result.is_error)
        duration_ms = round((time.monotonic() - began) * 1000)
        if result.is_error:
            told.tool_error(self._remote.name, result.content[:1000], duration_ms=duration_ms)
        else:
            told.tool_result(self._remote.name, duration_ms=duration_ms)
        return result
