"""Processes of the product, started and killed by us, and by their process ids only."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.chaos.servers import wait_until

ROOT = Path(__file__).resolve().parents[2]


class Process:
    """One `manage.py` command with everything that it forks."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.name = name
        self._environment = environment
        self._arguments = arguments
        self._log = log
        self._popen: subprocess.Popen[bytes] | None = None
        self._ever: set[psutil.Process] = set()
        # The stack's keeper and a test may both want to start it.
        self._starting = threading.Lock()
        self.is_wanted = False
        """Whether it ought to run; one that we killed or stopped is not wanted until we start it again."""

    def start(self) -> None:
        with self._starting:
            if not self.is_running():
                self._start()

    def _start(self) -> None:
        self.is_wanted = True
        with self._log.open("ab") as log:
            self._popen = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), *self._arguments],
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=self._environment,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        assert self._popen is not None
        return self._popen.pid

    @property
    def pid_known(self) -> bool:
        return self._popen is not None

    @property
    def exit_code(self) -> int | None:
        return self._popen.poll() if self._popen is not None else None

    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def family(self) -> list[psutil.Process]:
        """The command itself and all its descendants, as far as they live."""
        with suppress(psutil.NoSuchProcess):
            found = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
            self._ever.update(found)
        return [process for process in self._ever if is_alive(process)]

    def sentinel(self) -> psutil.Process | None:
        """django-q2's guard, the only child of a cluster."""
        with suppress(psutil.NoSuchProcess, IndexError):
            return psutil.Process(self.pid).children()[0]
        return None

    def crew(self) -> list[psutil.Process]:
        """What the sentinel guards, oldest first: workers, monitor and pusher."""
        with suppress(psutil.NoSuchProcess):
            sentinel = self.sentinel()
            return sorted(sentinel.children(), key=lambda child: child.pid) if sentinel else []
        return []

    def signal_member(self, pid: int, number: int) -> None:
        """Signals one process of the family, and none that is not of it."""
        if any(process.pid == pid for process in self.family()):
            signal_quietly(pid, number)

    def kill(self) -> None:
        """The command alone, as the kernel would when memory runs out."""
        self.is_wanted = False
        self.family()
        self._signal(signal.SIGKILL)
        self.wait(10)

    def kill_sentinel(self) -> None:
        self.is_wanted = False
        self.family()
        if sentinel := self.sentinel():
            sentinel.kill()

    def kill_all(self) -> None:
        """The whole family at once."""
        if self._popen is None:
            return
        self.is_wanted = False
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.wait(10)

    def stop(self, within_s: float) -> int:
        """SIGTERM, and the exit code; a `TimeoutError` if it does not stop."""
        self.is_wanted = False
        self.family()
        self._signal(signal.SIGTERM)
        wait_until(f"{self.name} stops", lambda: not self.is_running(), within_s)
        return self.wait(1)

    def wait(self, within_s: float) -> int:
        return self._popen.wait(within_s) if self._popen is not None else 0

    def _signal(self, number: int) -> None:
        if self.is_running() and self._popen is not None:
            self._popen.send_signal(number)


def is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def signal_quietly(pid: int, number: int) -> bool:
    """False when the process had gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False
