"""Ties the life of a process to its parent's."""

import ctypes
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent(number: int) -> None:
    """Has the kernel send this process a signal when its parent dies, so that nothing is left behind (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)
