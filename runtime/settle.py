"""Tunes the interpreter of a server process, once everything is loaded."""

import gc
import sys

# Seconds that a thread may keep the interpreter while others want it. Our threads mostly come back from the database or a
# model and need it for a moment: with Python's own 5 ms they would stand in line for most of a request.
_SWITCH_INTERVAL_S = 0.001


def settle() -> None:
    """Shortens the wait for the interpreter, and spares the collector what was loaded and will never be garbage."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
