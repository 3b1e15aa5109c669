"""How quick this machine is just now, on a fixed piece of Python work that touches nothing of the product.

Machines differ, and shared ones from minute to minute: figures of two runs compare only as far as this one does.
"""

import argparse
import ast
import inspect
import statistics
import time

from benchmarks.results import Result
from benchmarks.stack import Stack

_RUNS = 9


async def measure(stack: Stack) -> list[Result]:
    source = inspect.getsource(argparse)
    runs = [_run(source) * 1000 for _ in range(_RUNS)]
    return [
        Result(
            name="speed of the machine",
            budget="-",
            value=f"{statistics.median(runs):.0f} ms",
            passed=None,
            note=f"parsing and unparsing Python's argparse.py, median of {_RUNS}; from {min(runs):.0f} to {max(runs):.0f} ms",
        )
    ]


def _run(source: str) -> float:
    """Seconds."""
    began = time.perf_counter()
    ast.unparse(ast.parse(source))
    return time.perf_counter() - began
