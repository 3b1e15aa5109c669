"""Tunes the interpreter of a server process, once everything is loaded."""

import gc


def settle() -> None:
    """Spares the collector what was loaded and will never be garbage."""
    gc.collect()
    gc.freeze()
