"""The hub ends with its event loop, and a watcher when it is told to, whenever that is."""

import asyncio
import uuid

import pytest

from runtime.hub import Hub, Watch


@pytest.mark.parametrize("turns", range(0, 40, 7))
def test_a_hub_that_is_cancelled_while_it_connects_ends(turns: int) -> None:
    """Cancelled after so many turns of the loop: before, while and after the connection is made."""

    async def watch_briefly() -> set["asyncio.Task[object]"]:
        others = asyncio.all_tasks()
        with Hub().watch(request_id=uuid.uuid4()):
            for _ in range(turns):
                await asyncio.sleep(0)
        tasks = asyncio.all_tasks() - others
        for task in tasks:
            task.cancel()
        _, unended = await asyncio.wait(tasks, timeout=2)
        return unended

    with asyncio.Runner() as runner:
        unended = runner.run(watch_briefly())
        # What the cancel did not end would hold up the loop for ever.
        assert not unended


@pytest.mark.parametrize("turns", range(4))
def test_a_watcher_that_is_cancelled_as_news_arrive_ends(turns: int) -> None:
    """A stream that lost its cancel would go on for a client that has left."""
    watch = Watch(request_id=uuid.uuid4(), session=None)

    async def watch_on() -> None:
        while True:
            await watch.wait(60)

    async def leave_as_news_arrive() -> bool:
        watcher = asyncio.ensure_future(watch_on())
        await asyncio.sleep(0.01)
        watch.changed.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        watcher.cancel()
        await asyncio.wait([watcher], timeout=0.5)
        has_ended = watcher.done()
        watcher.cancel()
        return has_ended

    assert asyncio.run(leave_as_news_arrive())
