"""py-spy on web and workers while 32 clients ask, summed up by function."""

import asyncio
import subprocess
from collections import Counter
from pathlib import Path

from benchmarks import load
from benchmarks.cpu import parts
from benchmarks.measures.throughput import CLIENTS
from benchmarks.stack import Stack

_SECONDS = 8
_RATE = 200
_SHOWN = 15
_WATCHED = ("web", "worker 1")


async def profile(stack: Stack, kind: str) -> dict[str, str]:
    """The hungriest functions of each watched process as text."""
    message = {"echo": load.ECHO, "tools": load.THREE_TOOLS}[kind]
    await load.run_clients(stack, CLIENTS, message, seconds=2)
    watched = {part: process.pid for part, process in parts(stack) if part in _WATCHED}
    running = {part: _record(stack, part, pid) for part, pid in watched.items()}
    try:
        await load.run_clients(stack, CLIENTS, message, seconds=_SECONDS + 1.5)
        for process in running.values():
            await asyncio.to_thread(process.wait, 30)
    finally:
        for process in running.values():
            process.kill()
    return {part: summary(_raw(stack, part).read_text()) for part in running}


def _raw(stack: Stack, part: str) -> Path:
    return stack.directory / f"{part.replace(' ', '-')}.raw"


def _record(stack: Stack, part: str, pid: int) -> subprocess.Popen[bytes]:
    # Only who holds the interpreter's lock: py-spy takes many a waiting thread for a running one.
    options = ["--gil", "--format", "raw", "--function", "--rate", str(_RATE), "--duration", str(_SECONDS)]
    command = ["py-spy", "record", "--pid", str(pid), *options, "--output", str(_raw(stack, part))]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def summary(raw: str) -> str:
    """Shares of the time that the interpreter was busy: in the function itself, and below it."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    samples = 0
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [_short(frame) for frame in stack.split(";")]
        samples += int(count)
        own[frames[-1]] += int(count)
        total.update(dict.fromkeys(frames, int(count)))
    busy = samples / (_RATE * _SECONDS)
    return f"interpreter busy for {100 * busy:.0f} % of the time ({samples} samples)\n{_top('self', own, samples)}\n{_top('total', total, samples)}"


def _top(heading: str, counts: Counter[str], samples: int) -> str:
    lines = [f"{100 * count / max(1, samples):5.1f} %  {name}" for name, count in counts.most_common(_SHOWN)]
    return "\n".join([f"by {heading} time:", *lines])


def _short(frame: str) -> str:
    """`run (…/site-packages/asgiref/sync.py)` as `run (asgiref/sync.py)`."""
    name, _, path = frame.partition(" (")
    return f"{name} ({'/'.join(path.rstrip(')').split('/')[-2:])})"
