"""News carry whole frames over Unix datagrams, however large they are."""

import asyncio
import uuid

from runtime import news
from runtime.hub import Hub
from runtime.news import MAX_FRAMES_BYTES, News


async def _heard(frames: bytes) -> News:
    hub, request_id = Hub(), uuid.uuid4()
    told = News(request_id=request_id, session="1.1.a", first=0, head=1, is_end=True, frames=frames)
    with hub.watch(request_id=request_id) as watch:
        # One turn of the loop, in which the hub opens its mailbox.
        await asyncio.sleep(0)
        news.publish(told)
        assert await watch.wait(5)
        for task in hub._tasks:
            task.cancel()
        await asyncio.gather(*hub._tasks, return_exceptions=True)
        heard = watch.pushed[0]
        assert isinstance(heard, News)
        return heard


def test_frames_of_the_largest_size_arrive_whole(settings, tmp_path):
    settings.MASH_DATA_DIR, settings.MASH_REDIS_URL = tmp_path, ""
    frames = b"x" * MAX_FRAMES_BYTES
    assert asyncio.run(_heard(frames)).frames == frames


def test_larger_frames_are_left_to_the_log(settings, tmp_path):
    settings.MASH_DATA_DIR, settings.MASH_REDIS_URL = tmp_path, ""
    assert asyncio.run(_heard(b"x" * (MAX_FRAMES_BYTES + 1))).frames == b""
