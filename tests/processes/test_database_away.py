"""The database drops every connection, dies, or has no room left."""

import threading
import time

import pytest

from tests.processes.conftest import Story


def open_stream(story: Story, submitted):
    transcript = story.transcript(submitted)
    thread = threading.Thread(target=story.stack.client.follow_to_the_end, args=(transcript,), kwargs={"within_s": 40})
    thread.start()
    return transcript, thread


@pytest.mark.postgresql
def test_dropped_connections_are_ordinary(story: Story):
    submitted = [story.submit("tools=3 tool=pay_once latency=0.3") for _ in range(20)]
    transcript, thread = open_stream(story, submitted[0])
    for _ in range(4):
        time.sleep(0.3)
        story.stack.postgres.drop_connections()
    story.submit("say=afterwards")

    evidence = story.end()
    thread.join(40)

    assert transcript.is_complete
    assert {request.status for request in evidence.requests if request.key.startswith(story.name)} == {"completed"}


@pytest.mark.postgresql
@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "restarted"])
def test_a_database_server_that_comes_back_finds_everybody_going_on(story: Story, is_killed):
    postgres = story.stack.postgres
    submitted = [story.submit("tools=2 tool=pay_once latency=0.6") for _ in range(10)]
    transcript, thread = open_stream(story, submitted[0])
    time.sleep(0.5)
    postgres.kill() if is_killed else postgres.stop()
    time.sleep(1.5)
    postgres.start()

    evidence = story.end(60)
    thread.join(40)

    assert transcript.is_complete
    assert {request.status for request in evidence.requests if request.key.startswith(story.name)} == {"completed"}
