"""200 sessions that all wait for a slow model at once."""

import asyncio
import time

from benchmarks import load
from benchmarks.results import Result, p50_p95
from benchmarks.stack import Stack

_SESSIONS = 200
_BUDGET_S = 4.0


async def measure(stack: Stack) -> list[Result]:
    clients = [load.new_client(stack) for _ in range(_SESSIONS)]
    began = time.monotonic()
    try:
        turns = await asyncio.gather(
            *(load.run_turn(client, load.new_session(), f"{load.ECHO} latency=1") for client in clients)
        )
    finally:
        for client in clients:
            client.close()
    elapsed = time.monotonic() - began
    return [
        Result(
            name=f"{_SESSIONS} sessions at once, model latency 1 s",
            budget=f"all done in <= {_BUDGET_S:g} s",
            value=f"{elapsed:.2f} s",
            passed=elapsed <= _BUDGET_S,
            note=f"one turn p50 / p95 {p50_p95([turn.total_s for turn in turns])}",
        )
    ]
