"""No room left for SQLite: refused clearly, nothing half stored, and everything goes on once there is room."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.chaos.servers import wait_until
from benchmarks.chaos.stack import Stack
from tests.processes.conftest import Story

_SIZE = "24m"


def mounts_small_disk(directory: Path) -> bool:
    """Needs root and the right to mount, which containers often lack."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(directory)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@contextmanager
def no_room(stack: Stack, *, is_small_disk: bool) -> Iterator[None]:
    """Every block of a small disk taken; without one, processes that may not write to a file any more."""
    if is_small_disk:
        ballast = fill(stack.data_directory)
        yield
        ballast.unlink()
        return
    family = [process for part in (stack.web, *stack.clusters) for process in part.family()]
    limits = {process: process.rlimit(psutil.RLIMIT_FSIZE) for process in family}
    for process, (_, hard) in limits.items():
        process.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
    yield
    for process, limit in limits.items():
        process.rlimit(psutil.RLIMIT_FSIZE, limit)


def fill(directory: Path) -> Path:
    """Takes what room there is, to the last block."""
    ballast = directory / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    return ballast


def test_a_full_disk_refuses_and_a_freed_one_goes_on(tmp_path: Path):
    data = tmp_path / "data"
    data.mkdir()
    is_small_disk = mounts_small_disk(data)
    try:
        run_out_of_room(tmp_path, is_small_disk=is_small_disk)
    finally:
        if is_small_disk:
            subprocess.run(["umount", "--lazy", str(data)], check=True)


def run_out_of_room(directory: Path, *, is_small_disk: bool) -> None:
    with Stack("sqlite", directory) as stack:
        story = Story(stack, "disk")
        running = story.submit("tools=2 tool=pay_once latency=2")
        story.wait_until_status(running, "running")
        with no_room(stack, is_small_disk=is_small_disk):
            refused = _post_until_refused(stack)
            with stack.log() as log:
                stored_when_full = len(log.requests())
            again = stack.client.post("key=refused-too", "refused-too")

        story.submit("say=afterwards")
        evidence = story.end(60)

    assert refused == [503, 503, 503]
    assert again.status_code == 503
    assert again.json()["error"]["code"] == "RUNTIME_NOT_READY"
    assert not any(request.key == "refused-too" for request in evidence.requests)
    assert len(evidence.requests) == stored_when_full + 1
    assert {request.status for request in evidence.requests} == {"completed"}


def _post_until_refused(stack: Stack) -> list[int]:
    """What is still free within SQLite's own files takes a few requests; then three in a row are refused."""
    codes: list[int] = []

    def refuses() -> bool:
        codes.append(stack.client.post(f"key=filler-{len(codes)} say={'x' * 5000}", "filler").status_code)
        return len(codes) >= 3 and all(code != 200 for code in codes[-3:])

    wait_until("the disk is full", refuses, 30)
    return codes[-3:]
