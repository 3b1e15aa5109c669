"""200 streams of requests that wait for a slow model: what they cost the web process.

Queries are the growth of `xact_commit` per second with the streams open, less what it was just before with the same
requests running and no stream open; readings lag by up to ten seconds, so both spans begin eleven seconds in.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks import load
from benchmarks.measures.postgresql import query
from benchmarks.results import Result
from benchmarks.stack import Stack
from benchmarks.wire import Client

_STREAMS = 200
_SECONDS = 20.0
_SETTLE_S = 11.0
_MODEL_LATENCY_S = 75
_COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"


async def measure(stack: Stack) -> list[Result]:
    submitter = load.new_client(stack)
    message = f"{load.ECHO} latency={_MODEL_LATENCY_S}"
    request_ids = [await load.submit(submitter, load.new_session(), message) for _ in range(_STREAMS)]
    submitter.close()
    closed_rate = await _commits_per_second(stack, 10.0) if stack.database else 0.0
    async with _open_streams(stack, request_ids):
        share, open_rate = await _watch(stack)
    # The next measure should not share the workers with these requests.
    waiting = load.new_client(stack)
    async with asyncio.timeout(_MODEL_LATENCY_S + load.TURN_WITHIN_S):
        for request_id in request_ids:
            await load.follow(waiting, request_id)
    waiting.close()
    return [_cpu(share), _queries(stack, open_rate - closed_rate)]


async def _watch(stack: Stack) -> tuple[float, float]:
    """The web process's share of a core, and commits per second."""
    await asyncio.sleep(_SETTLE_S if stack.database else 2.0)
    began, before = time.monotonic(), _cpu_seconds(stack)
    rate = await _commits_per_second(stack, _SECONDS, settle=False)
    return (_cpu_seconds(stack) - before) / (time.monotonic() - began), rate


def _cpu_seconds(stack: Stack) -> float:
    times = stack.web().cpu_times()
    return float(times.user + times.system)


async def _commits_per_second(stack: Stack, seconds: float, *, settle: bool = True) -> float:
    if stack.database is None:
        await asyncio.sleep(seconds)
        return 0.0
    if settle:
        await asyncio.sleep(_SETTLE_S)
    began, [(before,)] = time.monotonic(), query(stack, _COMMITS)
    await asyncio.sleep(seconds)
    [(after,)] = query(stack, _COMMITS)
    return float(after - before) / (time.monotonic() - began)


@asynccontextmanager
async def _open_streams(stack: Stack, request_ids: list[str]) -> AsyncIterator[None]:
    clients = [load.new_client(stack) for _ in request_ids]
    pairs = zip(clients, request_ids, strict=True)
    tasks = [asyncio.ensure_future(_read(client, request_id)) for client, request_id in pairs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in clients:
            client.close()


async def _read(client: Client, request_id: str) -> None:
    async for _ in client.stream(load.events_path(request_id)):
        pass


def _cpu(share: float) -> Result:
    return Result(
        name=f"{_STREAMS} idle open streams, CPU of the web process",
        budget="<= 2 % of a core",
        value=f"{100 * share:.1f} %",
        passed=share <= 0.02,
        note=f"over {_SECONDS:.0f} s; the first page of each stream was sent before",
    )


def _queries(stack: Stack, rate: float) -> Result:
    is_counted = stack.database is not None
    return Result(
        name=f"{_STREAMS} idle open streams, queries per second",
        budget="<= 2 per web process",
        value=f"{rate:.1f} /s" if is_counted else "not counted by SQLite",
        passed=rate <= 2.0 if is_counted else None,
        note="growth over the same requests without streams" if is_counted else "",
    )
