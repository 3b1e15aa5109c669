"""Follows the events of many requests in the order of their ids, without an end and without ever missing one.

Ids are drawn before their transactions commit, so a stream reads no further than the horizon (`runtime.horizon`).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from runtime.horizon import horizon, newest_event_id
from runtime.hub import Watch
from runtime.models import RuntimeEvent
from runtime.readers import in_patient_reader, in_reader
from runtime.sse import KEEP_ALIVE, KEEP_ALIVE_S, NotReady

PAGE_SIZE = 500
SETTLING_S = 0.1
_MAX_LOOKS = 50

ReadPage = Callable[[int, int], list[RuntimeEvent]]
"""Events after the first id up to the second one, in order, at most `PAGE_SIZE`."""


async def follow(
    watch: Watch, cursor: int, read_page: ReadPage, write: Callable[[RuntimeEvent], bytes]
) -> AsyncIterator[bytes]:
    """Frames of every event after the cursor, and a keep-alive when it is quiet; ends when the watcher lost access."""
    quiet_since = time.monotonic()
    while not watch.is_over:
        page, is_settling = await in_patient_reader(_read, read_page, cursor)
        if page:
            cursor, quiet_since = page[-1].event_id, time.monotonic()
            yield b"".join(map(write, page))
        if len(page) == PAGE_SIZE or await watch.wait(SETTLING_S if is_settling else KEEP_ALIVE_S):
            continue
        if time.monotonic() - quiet_since >= KEEP_ALIVE_S:
            quiet_since = time.monotonic()
            yield KEEP_ALIVE


async def newest_settled() -> int:
    """The id after which everything is new: whatever was written before this was asked has it or a smaller one."""
    newest = await in_reader(newest_event_id)
    for _ in range(_MAX_LOOKS):
        settled, _ = await in_reader(horizon.look)
        if settled >= newest:
            return settled
        await asyncio.sleep(SETTLING_S)
    raise NotReady("Events are being written that take long to settle; try again.")


def _read(read_page: ReadPage, cursor: int) -> tuple[list[RuntimeEvent], bool]:
    """A page of what nothing can still slip in between, and whether newer events are about to settle."""
    settled, is_newest = horizon.look()
    return read_page(cursor, settled), not is_newest
