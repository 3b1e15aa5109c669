"""Redis goes and comes back: it carries wake-ups and news only, so nothing is lost."""

import time

import pytest

from tests.processes.conftest import Story


@pytest.mark.postgresql
def test_requests_that_come_in_while_redis_is_gone_are_answered_and_run(story: Story):
    stack = story.stack
    story.submit("tools=2 tool=write_again latency=1")
    stack.redis.kill()
    try:
        began = time.monotonic()
        answer = stack.client.post("key=redis-gone", "redis-gone")
        answered_s = time.monotonic() - began
        for _ in range(5):
            submitted = story.submit("tools=1 tool=pay_once latency=0.2")
        transcript = story.transcript(submitted)
        stack.client.follow_to_the_end(transcript, within_s=20)
        story.end()
    finally:
        stack.redis.start()

    assert answer.status_code == 200
    assert answered_s < 5
    # A quarter of a second would do when the queue works; the sweeper alone needs its grace of two.
    deadline = time.monotonic() + 45
    while _seconds_to_run(story) > 1.5:
        assert time.monotonic() < deadline, "the queue does not deliver again"
    story.end()


def _seconds_to_run(story: Story) -> float:
    began = time.monotonic()
    story.stack.client.follow_to_the_end(story.transcript(story.submit("say=hi")), within_s=20)
    return time.monotonic() - began
