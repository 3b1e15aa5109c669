"""Calls one tool: arguments checked, time limited, output capped, and every failure made an answer for the model."""

from typing import Any

from agents.tools import arguments, isolated
from agents.tools.base import ToolResult
from agents.tools.context import ToolContext
from agents.tools.registry import ToolRegistry
from agents.tools.supervise import supervise


def call_tool(
    tools: ToolRegistry, name: str, args: dict[str, Any], *, invalid_arguments: str | None, context: ToolContext
) -> ToolResult:
    """The tool's result, within a second of a stop or time-out. Never raises: whatever goes wrong is an error result."""
    tool = tools.get(name)
    if tool is None:
        known = ", ".join(tool.name for tool in tools.list_tools()) or "none"
        return ToolResult.error(f"There is no tool named {name!r}. Available: {known}.")
    if invalid_arguments is not None:
        return ToolResult.error(f"The arguments are not valid JSON: {invalid_arguments[:200]}")
    if fault := arguments.fault(tool.parameters, args):
        return ToolResult.error(f"Invalid arguments: {fault}")
    run = isolated.execute if tool.run_in_process else type(tool).execute
    return supervise(lambda own: run(tool, args, own), name=name, timeout_s=tool.timeout_s, context=context)
