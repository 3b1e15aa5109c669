"""Child processes of a benchmark: started in sessions of their own, stopped with everything below them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

STOP_WITHIN_S = 15.0


class Child:
    """A process that this benchmark started; its output goes to a file beside the data."""

    def __init__(self, name: str, command: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=dict(environment), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.started_at = time.time()

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self._process.pid)

    def fail_if_dead(self) -> None:
        if (code := self._process.poll()) is not None:
            raise RuntimeError(f"{self.name} ended with {code}:\n{self.log.read_text()[-2000:]}")

    def kill_group(self) -> None:
        """Like the kernel's out-of-memory killer, but for the whole process group at once."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=STOP_WITHIN_S)

    def stop(self) -> None:
        """Asks it to stop; what is left of its tree after a while is killed. Safe to call twice."""
        tree = self._tree()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        _kill(tree)

    def _tree(self) -> list[psutil.Process]:
        try:
            return list(self.process.children(recursive=True))
        except psutil.NoSuchProcess:
            return []


def _kill(processes: Sequence[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=2)
    for process in alive:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def wait_until(is_true: Callable[[], bool], *, within_s: float, what: str, every_s: float = 0.05) -> None:
    deadline = time.monotonic() + within_s
    while not is_true():
        if time.monotonic() > deadline:
            raise RuntimeError(f"Waited {within_s:.0f} s in vain for {what}.")
        time.sleep(every_s)
