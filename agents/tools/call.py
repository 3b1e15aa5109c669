"""Calls one tool: arguments checked, time limited, output capped, and every failure made an answer for the model."""

import asyncio
import contextvars
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from jsonschema import Draft202012Validator

from agents.tools.base import Tool, ToolResult
from agents.tools.context import ToolContext
from agents.tools.registry import ToolRegistry

logger = logging.getLogger(__name__)

MAX_OUTPUT_CHARACTERS = 64 * 1024


def call_tool(
    tools: ToolRegistry, name: str, args: dict[str, Any], *, invalid_arguments: str | None, context: ToolContext
) -> ToolResult:
    """The tool's result. Never raises: unknown tools, bad arguments, time-outs and exceptions are error results."""
    tool = tools.get(name)
    if tool is None:
        known = ", ".join(tool.name for tool in tools.list_tools()) or "none"
        return ToolResult.error(f"There is no tool named {name!r}. Available: {known}.")
    if invalid_arguments is not None:
        return ToolResult.error(f"The arguments are not valid JSON: {invalid_arguments[:200]}")
    if fault := _fault(tool, args):
        return ToolResult.error(f"Invalid arguments: {fault}")
    return _capped(_within(tool.timeout_s, lambda: tool.execute(args, context), name))


def _fault(tool: Tool, args: dict[str, Any]) -> str | None:
    errors = sorted(Draft202012Validator(dict(tool.parameters)).iter_errors(args), key=str)
    return "; ".join(f"{error.json_path}: {error.message}"[:300] for error in errors[:5]) or None


def _within(seconds: float, execute: Callable[[], "ToolResult | Awaitable[ToolResult]"], name: str) -> ToolResult:
    """Runs the tool in a thread of its own, so that one that hangs cannot take the request with it."""
    results: list[ToolResult] = []
    context = contextvars.copy_context()
    thread = threading.Thread(
        target=lambda: results.append(context.run(_execute, execute, name)), name=f"tool-{name}", daemon=True
    )
    thread.start()
    thread.join(seconds)
    return results[0] if results else ToolResult.error(f"{name} did not finish within {seconds:g} seconds.")


def _execute(execute: Callable[[], "ToolResult | Awaitable[ToolResult]"], name: str) -> ToolResult:
    try:
        outcome = execute()
        return outcome if isinstance(outcome, ToolResult) else asyncio.run(_await(outcome))
    except Exception as error:  # a tool is foreign code: whatever it raises is told to the model
        logger.info("Tool %s failed", name, exc_info=True, extra={"action": "tool.failed"})
        return ToolResult.error(f"{type(error).__name__}: {error}")


async def _await(outcome: Awaitable[ToolResult]) -> ToolResult:
    return await outcome


def _capped(result: ToolResult) -> ToolResult:
    if len(result.content) <= MAX_OUTPUT_CHARACTERS:
        return result
    notice = f"\n[cut: {len(result.content)} characters, of which the first {MAX_OUTPUT_CHARACTERS} are shown]"
    return ToolResult(result.content[:MAX_OUTPUT_CHARACTERS] + notice, result.is_error, result.metadata)
