"""Tools that still run although they were told to end: logged, counted, and told to the operator through small files."""

import contextlib
import json
import logging
import os
import threading
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """One tool that would not end."""

    name: str
    process_id: int
    since: float
    """Seconds since the epoch."""


_numbers = count(1)
_running: dict[int, Leftover] = {}
_lock = threading.Lock()
_directory: Path | None = None


def directory_in(data: Path) -> Path:
    """The folder of these files below the deployment's data directory."""
    return data / "unfinished-tools"


def report_to(directory: Path) -> None:
    """Where the processes of this machine tell each other."""
    global _directory
    _directory = directory


def add(name: str) -> int:
    """Counts a tool that would not end; the number is for `remove`."""
    number, leftover = next(_numbers), Leftover(name=name, process_id=os.getpid(), since=time.time())
    with _lock:
        _running[number] = leftover
        total = len(_running)
    logger.warning(
        "Tool %s still runs after it was told to end; %d such here", name, total, extra={"action": "tool.left_running"}
    )
    if _directory is not None:
        with contextlib.suppress(OSError):
            _directory.mkdir(mode=0o700, exist_ok=True)
            content = {"name": name, "process_id": leftover.process_id, "since": leftover.since}
            _file(_directory, number).write_text(json.dumps(content))
    return number


def remove(number: int) -> None:
    """It has ended after all."""
    with _lock:
        leftover = _running.pop(number, None)
    if leftover is None:
        return
    late_s = time.time() - leftover.since
    logger.info("Tool %s ended %.0f s late", leftover.name, late_s, extra={"action": "tool.ended_late"})
    if _directory is not None:
        with contextlib.suppress(OSError):
            _file(_directory, number).unlink(missing_ok=True)


def running() -> list[Leftover]:
    """Those of this process."""
    with _lock:
        return list(_running.values())


def running_on_this_machine(directory: Path) -> list[Leftover]:
    """Those of all processes that report there and are alive."""
    found = []
    for file in sorted(directory.glob("*-*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError):
            leftover = Leftover(**json.loads(file.read_text()))
            if Path("/proc", str(leftover.process_id)).exists():
                found.append(leftover)
    return found


def _file(directory: Path, number: int) -> Path:
    return directory / f"{os.getpid()}-{number}.json"
