"""Calls tools as a turn does, without one."""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from agents.stop_signal import StopSignal
from agents.tools.base import Tool, ToolResult
from agents.tools.call import call_tool
from agents.tools.context import ToolContext
from agents.tools.registry import ToolRegistry

Call = Callable[..., ToolResult]
# To run as another Unix user is a right of root's.
collect_ignore = [] if os.geteuid() == 0 else ["test_bash_as_another_user.py"]


@pytest.fixture
def context() -> ToolContext:
    return ToolContext(workspace="acme", agent_id="assistant", session_id="s", request_id="r", idempotency_key="r:0:c")


@pytest.fixture
def call(context: ToolContext) -> Call:
    def call(tool: Tool, stop: StopSignal | None = None, **args: object) -> ToolResult:
        own = replace(context, stop=stop or StopSignal())
        return call_tool(ToolRegistry([tool]), tool.name, dict(args), invalid_arguments=None, context=own)

    return call
