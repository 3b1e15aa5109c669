"""No room left for SQLite: refused clearly, nothing half stored, and everything goes on once there is room."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.chaos.servers import wait_until
from benchmarks.chaos.stack import Stack
from tests.processes.conftest import Story

_SIZE = "24m"


@contextmanager
def small_disk(directory: Path) -> Iterator[None]:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(directory)], check=False)
    if mounted.returncode:
        pytest.skip("A small file system cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


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


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="needs the right to mount")
def test_a_full_disk_refuses_and_a_freed_one_goes_on(tmp_path: Path):
    (tmp_path / "data").mkdir()
    with small_disk(tmp_path / "data"), Stack("sqlite", tmp_path) as stack:
        story = Story(stack, "disk")
        running = story.submit("tools=2 tool=pay_once latency=2")
        story.wait_until_status(running, "running")
        ballast = fill(stack.data_directory)
        refused = _post_until_refused(stack)
        with stack.log() as log:
            stored_when_full = len(log.requests())
        again = stack.client.post("key=refused-too", "refused-too")
        ballast.unlink()

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
