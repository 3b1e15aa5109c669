"""How long one client waits for a search in an agent's memory of 100,000 turns, over HTTP.

Among the turns are those of another agent. Queries are asked one after the other: words in every other turn, in one of a
hundred and in one of a thousand, and single words out of twenty thousand, so that nothing is answered from memory alone.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.parse import quote

from benchmarks.prepare_memory import TURNS
from benchmarks.results import Result, p50_p95, percentile
from benchmarks.stack import Stack
from benchmarks.wire import Client

_WARM_UP = 10
_QUERIES = 100
_BUILD_WITHIN_S = 600
_WORDS: list[tuple[str, Callable[[int], str], float]] = [
    ("a word in half of the turns", lambda _: "often", 100),
    ("a word in 1 % of the turns", lambda _: "seldom", 30),
    ("a word in 0.1 % of the turns", lambda _: "rarely", 30),
    ("one of many words", lambda n: f"w{n * 97 % 20_000:05d}", 30),
    ("two words, of which one is in half", lambda _: "often seldom", 30),
]


async def measure(stack: Stack) -> list[Result]:
    await asyncio.to_thread(_build, stack)
    return [await _measure(stack, name, query, budget_ms) for name, query, budget_ms in _WORDS]


def _build(stack: Stack) -> None:
    command = [sys.executable, "-m", "benchmarks.prepare_memory"]
    built = subprocess.run(
        command, env=stack.environment, capture_output=True, text=True, timeout=_BUILD_WITHIN_S, check=False
    )
    if built.returncode:
        raise RuntimeError(f"{command} failed:\n{built.stderr[-2000:]}")


async def _measure(stack: Stack, name: str, query: Callable[[int], str], budget_ms: float) -> Result:
    client = Client(stack.port, stack.token)
    seconds, found = list[float](), 0
    try:
        for number in range(_WARM_UP + _QUERIES):
            path = f"/api/v1/telemetry/memory/search?app_id=echo&q={quote(f'@user: {query(number)}')}"
            began = time.perf_counter()
            answer = await client.get(path)
            seconds.append(time.perf_counter() - began)
            found += len(answer["data"]["results"])
    finally:
        client.close()
    seconds = seconds[_WARM_UP:]
    return Result(
        name=f"memory search over {TURNS} turns, {name}, p50 / p95",
        budget=f"p95 <= {budget_ms:g} ms",
        value=p50_p95(seconds),
        passed=1000 * percentile(seconds, 0.95) <= budget_ms and found > 0,
        note=f"{_QUERIES} queries over HTTP, {found / (_WARM_UP + _QUERIES):.1f} results each",
    )
