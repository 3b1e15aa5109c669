"""What a run of a workflow costs beside its steps, and how fast Masher reads traces, over HTTP.

A code step's time is from the end of the step before it to its own, by the log of a run of a hundred that do nothing.
Its transactions are counted as those of turns are (`transactions.py`). The map's time is from the POST to the end of its
run, Masher's from the run's start to its end.
"""

import asyncio
import secrets
import subprocess
import sys
import time
from itertools import pairwise
from typing import Any

from benchmarks import host
from benchmarks.measures import transactions
from benchmarks.prepare_traces import TARGET
from benchmarks.results import Result, p50_p95, percentile
from benchmarks.stack import Stack
from benchmarks.wire import Client

_ROWS = 5
_ITEMS = 1000
_RUN_WITHIN_S = 300
_LOOK_EVERY_S = 0.2
_BUILD_WITHIN_S = 600
_TRACES = 10_000


async def measure(stack: Stack) -> list[Result]:
    client = Client(stack.port, stack.token)
    try:
        return [*await _row_of_steps(stack, client), await _map(client), await _masher(stack)]
    finally:
        client.close()


async def _row_of_steps(stack: Stack, client: Client) -> list[Result]:
    await _run(client, host.ROW_OF_STEPS, {})
    counted = await transactions.count(stack, lambda: _rows(client)) if stack.database else None
    seconds = counted.done if counted else await _rows(client)
    results = [
        Result(
            name="code step that does nothing, p50 / p95",
            budget="p50 <= 10 ms",
            value=p50_p95(seconds),
            passed=1000 * percentile(seconds, 0.5) <= 10,
            note=f"{_ROWS} runs of {host.STEPS} steps in a row",
        )
    ]
    if counted:
        per_step = counted.writes / (_ROWS * host.STEPS)
        note = f"{counted.commits / (_ROWS * host.STEPS):.1f} with those that only read"
        results.append(
            Result(
                name="write transactions per code step",
                budget="<= 3",
                value=f"{per_step:.1f}",
                passed=round(per_step, 1) <= 3,
                note=note,
            )
        )
    return results


async def _rows(client: Client) -> list[float]:
    seconds = []
    for _ in range(_ROWS):
        run = await _run(client, host.ROW_OF_STEPS, {})
        steps = (await client.get(f"{_run_path(run)}/steps"))["data"]["steps"]
        ends = [step["attempts"][-1]["finished_at"] for step in steps]
        seconds += [later - earlier for earlier, later in pairwise(ends)]
    return seconds


async def _map(client: Client) -> Result:
    began = time.time()
    run = await _run(client, host.MAP, {"items": list(range(_ITEMS))})
    took = run["finished_at"] - began
    return Result(
        name=f"map over {_ITEMS} items of a code step that does nothing",
        budget="<= 15 s",
        value=f"{took:.2f} s",
        passed=took <= 15,
    )


async def _masher(stack: Stack) -> Result:
    token = f"mash_bench_{secrets.token_urlsafe(24)}"
    await asyncio.to_thread(_build, stack, token)
    client = Client(stack.port, token)
    try:
        wish = {"mode": "incremental", "target_agent_id": TARGET, "limit": _TRACES}
        run = await _run(client, "masher-trace-digest", wish)
    finally:
        client.close()
    took, state = run["finished_at"] - run["started_at"], run["output"]["task_states"]["digest-traces"]
    per_trace = took / state["processed_trace_count"]
    return Result(
        name=f"Masher: digests of {state['processed_trace_count']} new traces",
        budget=f"{_TRACES} in <= 10 s",
        value=f"{took:.1f} s",
        passed=per_trace * _TRACES <= 10,
        note=f"{state['appended_trace_count']} kept",
    )


def _build(stack: Stack, token: str) -> None:
    command = [sys.executable, "-m", "benchmarks.prepare_traces"]
    environment = {**stack.environment, "BENCH_TRACES_TOKEN": token}
    built = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=_BUILD_WITHIN_S, check=False
    )
    if built.returncode:
        raise RuntimeError(f"{command} failed:\n{built.stderr[-2000:]}")


async def _run(client: Client, workflow_id: str, given: dict[str, Any]) -> dict[str, Any]:
    """The run once it has completed."""
    begun = (await client.post(f"/api/v1/workflows/{workflow_id}/run", {"input": given}))["data"]
    async with asyncio.timeout(_RUN_WITHIN_S):
        while True:
            run: dict[str, Any] = (await client.get(_run_path(begun)))["data"]
            if run["status"] == "completed":
                return run
            if run["status"] in {"failed", "cancelled"}:
                raise RuntimeError(f"{begun['run_id']} is {run['status']}: {run['error']}")
            await asyncio.sleep(_LOOK_EVERY_S)


def _run_path(run: dict[str, Any]) -> str:
    return f"/api/v1/workflows/{run['workflow_id']}/runs/{run['run_id']}"
