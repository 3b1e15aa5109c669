"""How long one client waits, when nobody else asks."""

from benchmarks import load
from benchmarks.results import Result, p50_p95, percentile
from benchmarks.stack import Stack

_WARM_UP = 20
_ECHO_TURNS = 150
_TOOL_TURNS = 60


async def measure(stack: Stack) -> list[Result]:
    await load.run_turns(stack, _WARM_UP, load.ECHO)
    echoes = await load.run_turns(stack, _ECHO_TURNS, load.ECHO)
    tools = await load.run_turns(stack, _TOOL_TURNS, load.THREE_TOOLS)
    return [
        _judge("POST to accepted, one client, p50 / p95", [turn.accepted_s for turn in echoes], 8),
        _judge("echo turn, POST to `request.completed`, p50 / p95", [turn.total_s for turn in echoes], 25),
        _judge("turn with three tool rounds, p50 / p95", [turn.total_s for turn in tools], 60),
    ]


def _judge(name: str, seconds: list[float], budget_ms: float) -> Result:
    return Result(
        name=name,
        budget=f"p50 <= {budget_ms:g} ms",
        value=p50_p95(seconds),
        passed=1000 * percentile(seconds, 0.5) <= budget_ms,
        note=f"{len(seconds)} turns",
    )
