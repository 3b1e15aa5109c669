"""What the log grows by with each step of a long turn: promise 7 says linearly, so a late step takes what an early one does."""

import sqlite3
from contextlib import closing

from benchmarks import load
from benchmarks.measures.postgresql import query
from benchmarks.results import Result
from benchmarks.stack import Stack

_STEPS = 60
# Digits of numbers grow, nothing else may.
_TOLERANCE = 1.05
_SIZES = """SELECT e.loop_index, sum(length({payload})) FROM runtime_runtimeevent e
    JOIN runtime_agentrequest r ON r.id = e.agent_request_id
    WHERE r.request_id = {request_id} AND e.loop_index IS NOT NULL GROUP BY e.loop_index ORDER BY e.loop_index"""


async def measure(stack: Stack) -> list[Result]:
    [turn] = await load.run_turns(stack, 1, f"tools={_STEPS - 1} say=done")
    sizes = _sizes(stack, turn.request_id)
    # The first step's prompt has no results before it, and the last step calls no tool.
    early, late = sizes[1], sizes[-2]
    return [
        Result(
            name="bytes stored for step 2 / step 59 of 60",
            budget="constant",
            value=f"{early} / {late}",
            passed=len(sizes) == _STEPS and late <= early * _TOLERANCE,
            note=f"payloads as text; {sum(sizes) / 1000:.0f} kB for the whole turn",
        )
    ]


def _sizes(stack: Stack, request_id: str) -> list[int]:
    """Bytes of all payloads of each step, in order."""
    if stack.database is not None:
        statement = _SIZES.format(payload="e.payload::text", request_id="%s")
        return [int(size) for _, size in query(stack, statement, [request_id])]
    statement = _SIZES.format(payload="e.payload", request_id="?")
    with closing(sqlite3.connect(stack.directory / "data" / "mash.sqlite3")) as connection:
        return [int(size) for _, size in connection.execute(statement, [request_id.replace("-", "")])]
