"""The one event loop of a process on which `async` tools run; it is kept, so that their connections can be too."""

import asyncio
import contextlib
import os
import threading
from functools import cache

_RESPONDS_WITHIN_S = 0.2
_lock = threading.Lock()
_generation = 0


def current() -> asyncio.AbstractEventLoop:
    """The running loop, started at first use; a fork starts one of its own."""
    with _lock:
        return _start(os.getpid(), _generation)


def replace_if_blocked(loop: asyncio.AbstractEventLoop) -> bool:
    """Lets later tools run on a new loop when one has blocked this; True if so."""
    global _generation
    responded = threading.Event()
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(responded.set)
    if responded.wait(_RESPONDS_WITHIN_S):
        return False
    with _lock:
        if _start(os.getpid(), _generation) is loop:
            _generation += 1
    return True


@cache
def _start(process_id: int, generation: int) -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=f"tool-loop-{generation}", daemon=True).start()
    return loop
