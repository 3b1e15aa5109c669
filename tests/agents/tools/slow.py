"""Tools that do not end by themselves, each stuck in its own way."""

import asyncio
import os
import re
import subprocess
import sys
import threading
import time

from agents.tools.context import ToolContext
from agents.tools.function import function_tool

let_go = threading.Event()
"""Frees what nothing else can."""
SLEEP = f"sleep 98765.{os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')}1"
"""Of this one of pytest's workers; another may look for its own at the same time."""


async def sleeper() -> str:
    """Wait without blocking."""
    await asyncio.sleep(60)
    return "late"


async def stubborn() -> str:
    """Catch the cancellation and go on."""
    while not let_go.is_set():
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            continue
    return "late"


async def blocker() -> str:
    """Block the event loop."""
    let_go.wait(60)
    return "late"


def spinner() -> str:
    """Compute in Python for ever."""
    number = 0
    while True:
        try:
            number += 1
        except Exception:
            continue


def asker(context: ToolContext) -> str:
    """Look whether to stop."""
    while not context.cancelled():
        time.sleep(0.01)
    return f"stopped for {context.stop.reason}"


def in_c() -> str:
    """Wait within one call into C."""
    let_go.wait(60)
    return "late"


def matcher() -> str:
    """Match a regular expression that takes for ever and holds the interpreter."""
    return str(re.match(r"(a+)+$", "a" * 40 + "b"))


def with_children() -> str:
    """Start a process that starts another."""
    subprocess.run(["/bin/sh", "-c", f"{SLEEP} & {SLEEP}"], check=False)
    return "late"


def adder(left: int, right: int) -> dict[str, int]:
    """Add two numbers, and print where answers go."""
    sys.stdout.write("not the answer")
    return {"sum": left + right}


def crasher() -> str:
    """End the process."""
    os._exit(3)


ENDED = [
    function_tool(sleeper, timeout_s=0.2),
    function_tool(spinner, timeout_s=0.2),
    function_tool(matcher, timeout_s=0.8, run_in_process=True),
    function_tool(with_children, timeout_s=0.8, run_in_process=True),
]
LEFT_RUNNING = [
    function_tool(stubborn, timeout_s=0.2),
    function_tool(blocker, timeout_s=0.2),
    function_tool(in_c, timeout_s=0.2),
]
