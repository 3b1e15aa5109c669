"""How many turns 32 clients get done, and which process their CPU time goes to."""

from benchmarks import load
from benchmarks.load import Load
from benchmarks.results import Result
from benchmarks.stack import Stack

CLIENTS = 32
_WARM_UP_S = 2.0
_SECONDS = 8.0


async def measure(stack: Stack) -> list[Result]:
    await load.run_clients(stack, CLIENTS, load.ECHO, seconds=_WARM_UP_S)
    echoes = await load.run_clients(stack, CLIENTS, load.ECHO, seconds=_SECONDS)
    tools = await load.run_clients(stack, CLIENTS, load.THREE_TOOLS, seconds=_SECONDS)
    return [*_judge("echo", echoes, reach=50, aim=80), *_judge("three-tool", tools, reach=20, aim=30)]


def _judge(kind: str, done: Load, *, reach: int, aim: int) -> list[Result]:
    per_turn = done.cpu.per(done.turns)
    parts = ", ".join(f"{part} {used:.1f}" for part, used in sorted(per_turn.items(), key=lambda item: -item[1]))
    busy = sum(done.cpu.seconds.values()) / done.cpu.elapsed_s
    return [
        Result(
            name=f"{kind} turns per second, {CLIENTS} clients",
            budget=f">= {reach}, aim {aim}",
            value=f"{done.rate:.1f} /s",
            passed=done.rate >= reach,
            note=f"{done.turns} turns in {done.elapsed_s:.1f} s; the stack and the load kept {busy:.2f} cores busy",
        ),
        Result(
            name=f"CPU per {kind} turn, {CLIENTS} clients",
            budget="-",
            value=f"{sum(per_turn.values()):.1f} ms",
            passed=None,
            note=parts,
        ),
    ]
