"""Who used the processors: CPU seconds by part of the stack, read from /proc by psutil."""

import time
from collections import defaultdict
from dataclasses import dataclass

import psutil

from benchmarks.stack import SqliteStack, Stack


@dataclass(frozen=True, slots=True)
class CpuUse:
    """What each part used between two readings."""

    seconds: dict[str, float]
    elapsed_s: float

    def per(self, count: int) -> dict[str, float]:
        """Milliseconds of CPU per turn."""
        return {part: 1000 * used / max(1, count) for part, used in self.seconds.items()}


class CpuMeter:
    """Reads when it is made; `stop` tells what was used since."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._before = _read(stack)
        self._began = time.monotonic()

    def stop(self) -> CpuUse:
        after = _read(self._stack)
        elapsed = time.monotonic() - self._began
        return CpuUse({part: used - self._before.get(part, 0.0) for part, used in after.items()}, elapsed)


def _read(stack: Stack) -> dict[str, float]:
    used: defaultdict[str, float] = defaultdict(float)
    for part, process in parts(stack):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used[part] += times.user + times.system
        if part == "postgres":
            # A backend that has ended is counted by the postmaster that waited for it.
            used[part] += times.children_user + times.children_system
    used["load"] = time.process_time()
    return dict(used)


def parts(stack: Stack) -> list[tuple[str, psutil.Process]]:
    found = [("web", process) for process in _tree(stack.web())]
    found += _cluster_parts(stack)
    found.append(("model server", stack.model.process))
    if isinstance(stack, SqliteStack):
        found.append(("supervisor", stack.everything.process))
    if stack.database and stack.redis:
        found += [("postgres", process) for process in _tree(stack.database.process)]
        found.append(("redis", stack.redis.process))
    return found


def _cluster_parts(stack: Stack) -> list[tuple[str, psutil.Process]]:
    """django-q2's sentinel starts the workers first, then the monitor, then the pusher."""
    first, *below = stack.worker_tree()
    sentinel = next(process for process in below if process.children())
    children = sorted(sentinel.children(), key=lambda process: (process.create_time(), process.pid))
    names = [f"worker {number + 1}" for number in range(stack.processes)] + ["monitor", "pusher"]
    return [("cluster", first), ("cluster", sentinel), *zip(names, children, strict=False)]


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]
