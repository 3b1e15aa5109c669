"""Runs a tool's call in a process of its own, which can be killed whatever it does."""

import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

from agents.tools.base import Tool, ToolResult
from agents.tools.context import ToolContext
from agents.tools.process.command import Command, Ending
from agents.tools.process.run import run
from agents.tools.supervise import ToolInterrupted

_MAX_ANSWER_BYTES = 1024 * 1024
_SENT = ("workspace", "agent_id", "session_id", "request_id", "idempotency_key", "user", "metadata")


def execute(tool: Tool, args: dict[str, Any], context: ToolContext) -> ToolResult:
    """What the tool answers in its own process; the caller sees to the time-out."""
    try:
        task = pickle.dumps((tool, args, {name: getattr(context, name) for name in _SENT}))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        return ToolResult.error(f"{tool.name} cannot run in a process of its own: {error}")
    answer = bytearray()

    def take(chunk: bytes) -> bool:
        answer.extend(chunk)
        return len(answer) <= _MAX_ANSWER_BYTES

    return _result(tool, run(_command(task), take=take, stop=context.stop, timeout_s=tool.timeout_s + 1), answer)


def _command(task: bytes) -> Command:
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return Command(
        arguments=[sys.executable, "-m", "agents.tools.isolated_child"],
        directory=Path.cwd(),
        environment={**os.environ, "PYTHONPATH": path},
        stdin=task,
    )


def _result(tool: Tool, ending: Ending, answer: bytearray) -> ToolResult:
    if ending.killed_for and ending.killed_for != "output":
        # As a thread's: the caller knows why, and says it.
        raise ToolInterrupted
    if ending.failure:
        return ToolResult.error(f"{tool.name} could not be run: {ending.failure}.")
    try:
        told = json.loads(answer)
    except ValueError:
        return ToolResult.error(f"{tool.name} ended without an answer (exit code {ending.exit_code}).")
    return ToolResult(told["content"], told["is_error"], told["metadata"])
