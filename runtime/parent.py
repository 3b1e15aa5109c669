"""Ties a process to its parent: kill -9 of the parent must not leave children that go on working unseen."""

import ctypes
import os
import signal
import sys
import threading

_SET_PARENT_DEATH_SIGNAL = 1
# Loaded before any fork, as a child between fork and exec should do little.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None

_forking_process = 0


def follow_parent(parent: int, number: int = signal.SIGTERM) -> None:
    """The kernel sends us this signal when the parent ends. Linux only: elsewhere orphans are stopped by hand."""
    if _libc is None:
        return
    _libc.prctl(_SET_PARENT_DEATH_SIGNAL, int(number))
    if os.getppid() != parent:
        # It had ended before we asked.
        os._exit(1)


def kill_forks_with_us() -> None:
    """From now on, what this process and its forks fork from their main threads dies with whoever forked it."""
    os.register_at_fork(before=_note_forking_process, after_in_child=_follow_forking_process)


def _note_forking_process() -> None:
    global _forking_process
    # The kernel counts the end of the forking thread as the parent's end, so only the main thread's forks may follow.
    _forking_process = os.getpid() if threading.current_thread() is threading.main_thread() else 0


def _follow_forking_process() -> None:
    if _forking_process:
        follow_parent(_forking_process, signal.SIGKILL)
