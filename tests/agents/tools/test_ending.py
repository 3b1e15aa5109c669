"""A stop or a time-out ends a tool, whatever it does, and the answer comes within a second."""

import subprocess
import threading
import time

import pytest

from agents.stop_signal import StopSignal
from agents.tools import leftovers
from agents.tools.base import FunctionTool, Tool, ToolResult
from agents.tools.function import function_tool
from tests.agents.tools import slow
from tests.agents.tools.conftest import Call

WITHIN_S = 1.0
# This machine may be busy with other tests at the same time.
PATIENCE_S = 4


@pytest.fixture(autouse=True)
def _let_go():
    slow.let_go.clear()
    yield
    slow.let_go.set()
    deadline = time.monotonic() + 5
    while leftovers.running() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert leftovers.running() == [], "What ends late is counted no more."


def threads_of(tool: Tool) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"tool-{tool.name}"]


@pytest.mark.parametrize("tool", slow.ENDED + slow.LEFT_RUNNING, ids=lambda tool: tool.name)
def test_a_time_out_is_answered_within_a_second(call: Call, tool: Tool) -> None:
    began = time.monotonic()
    result = call(tool)
    assert time.monotonic() - began < tool.timeout_s + WITHIN_S + PATIENCE_S
    assert result.is_error
    assert f"did not finish within {tool.timeout_s:g} seconds" in result.content


@pytest.mark.parametrize("tool", slow.ENDED + slow.LEFT_RUNNING, ids=lambda tool: tool.name)
def test_a_stop_is_answered_within_a_second(call: Call, tool: Tool) -> None:
    stop, told_at = StopSignal(), 0.0

    def tell() -> None:
        nonlocal told_at
        told_at = time.monotonic()
        stop.set("cancelled")

    patient = function_tool(tool._function, name=tool.name, timeout_s=30, run_in_process=tool.run_in_process)  # type: ignore[attr-defined]
    threading.Timer(0.4, tell).start()
    result = call(patient, stop)
    took_s = time.monotonic() - told_at
    assert result == ToolResult.error(f"{tool.name} was stopped: cancelled.")
    assert took_s < WITHIN_S + PATIENCE_S


@pytest.mark.parametrize("tool", slow.ENDED, ids=lambda tool: tool.name)
def test_what_can_be_ended_is_not_left_running(call: Call, tool: Tool) -> None:
    call(tool)
    assert leftovers.running() == []
    assert not [thread for thread in threads_of(tool) if thread.is_alive()]
    assert subprocess.run(["pgrep", "-f", slow.SLEEP], check=False).returncode == 1


@pytest.mark.parametrize("tool", slow.LEFT_RUNNING, ids=lambda tool: tool.name)
def test_what_cannot_be_ended_is_counted_and_told(call: Call, tool: Tool, tmp_path, caplog) -> None:
    known = leftovers._directory
    leftovers.report_to(tmp_path / "unfinished")
    try:
        call(tool)
        assert [leftover.name for leftover in leftovers.running()] == [tool.name]
        assert [found.name for found in leftovers.running_on_this_machine(tmp_path / "unfinished")] == [tool.name]
        assert f"Tool {tool.name} still runs" in caplog.text
        slow.let_go.set()
        deadline = time.monotonic() + 5
        while leftovers.running_on_this_machine(tmp_path / "unfinished") and time.monotonic() < deadline:
            time.sleep(0.01)
        assert list((tmp_path / "unfinished").iterdir()) == []
    finally:
        leftovers.report_to(known)


def test_a_tool_that_looks_at_its_stop_signal_ends_in_its_own_words(call: Call) -> None:
    assert call(function_tool(slow.asker, timeout_s=0.1)).content == "stopped for timeout"


def test_a_tool_does_not_begin_after_the_stop(call: Call) -> None:
    began, stop = threading.Event(), StopSignal()

    def begin() -> None:
        """Say that it began."""
        began.set()

    stop.set("deadline")
    assert call(function_tool(begin), stop).content == "begin was stopped: deadline."
    assert not began.is_set()


def test_async_tools_go_on_when_another_has_blocked_their_loop(call: Call) -> None:
    async def quick() -> str:
        """Answer at once."""
        return "here"

    call(function_tool(slow.blocker, timeout_s=0.1))
    assert call(function_tool(quick, timeout_s=2)).content == "here"


def test_async_tools_share_one_loop(call: Call) -> None:
    async def where() -> str:
        """Name the thread."""
        return threading.current_thread().name

    names = {call(function_tool(where)).content for _ in range(3)}
    assert len(names) == 1


def test_a_process_answers_like_a_thread(call: Call) -> None:
    tool = function_tool(slow.adder, run_in_process=True)
    assert call(tool, left=2, right=3) == ToolResult.success('{"sum": 5}')
    assert "left" in call(tool, right=3).content


def test_a_process_that_dies_is_told(call: Call) -> None:
    result = call(function_tool(slow.crasher, run_in_process=True))
    assert result == ToolResult.error("crasher ended without an answer (exit code 3).")


def test_a_tool_that_cannot_travel_says_so(call: Call) -> None:
    tool = FunctionTool("local", "", {"type": "object"}, lambda args: ToolResult.success(""), run_in_process=True)
    assert "cannot run in a process of its own" in call(tool).content
