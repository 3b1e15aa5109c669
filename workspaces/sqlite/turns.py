"""Whose turn it is to write to an SQLite file, among all threads and processes of the machine."""

import fcntl
import os
import threading
import time
from functools import cache

# Between processes there is nothing to wake us, so the next in line looks again this often.
_LOOK_EVERY_S = 0.002


class OutOfTime(Exception):
    """Somebody else has been writing all the while."""


class Turns:
    """One at a time: threads of this process wait for a lock, and the first of them for a lock on a file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._in_process = threading.Lock()
        os.register_at_fork(after_in_child=self._start_anew)

    def take(self, timeout_s: float) -> None:
        """Returns when it is our turn; `OutOfTime` when it was not within the time-out."""
        deadline = time.monotonic() + timeout_s
        if not self._in_process.acquire(timeout=timeout_s):
            raise OutOfTime
        try:
            self._lock_file(deadline)
        except BaseException:
            self._in_process.release()
            raise

    def end(self) -> None:
        assert self._descriptor is not None  # noqa: S101  taken before
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._in_process.release()

    def _lock_file(self, deadline: float) -> None:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise OutOfTime from None
                time.sleep(_LOOK_EVERY_S)
            else:
                return

    def _start_anew(self) -> None:
        """A fork shares the parent's open file and with it the parent's lock: it must open its own."""
        self._in_process = threading.Lock()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@cache
def turns_of(path: str) -> Turns:
    return Turns(path)
