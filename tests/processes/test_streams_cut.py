"""Streams outlive the processes that serve them (promise 5)."""

import signal
import threading
import time

from benchmarks.chaos.client import Transcript
from tests.processes.conftest import Story


def follow_in_background(story: Story, transcripts: list[Transcript]) -> list[threading.Thread]:
    follow = story.stack.client.follow_to_the_end
    threads = [threading.Thread(target=follow, args=(each,), kwargs={"within_s": 40}) for each in transcripts]
    for thread in threads:
        thread.start()
    return threads


def test_web_killed_while_streams_are_open_gives_the_rest_after_reconnecting(story: Story):
    submitted = [story.submit("tools=3 tool=write_again latency=0.7") for _ in range(8)]
    transcripts = [story.transcript(each) for each in submitted]
    threads = follow_in_background(story, transcripts)
    time.sleep(1)
    story.stack.web.kill()
    story.stack.web.start()
    for thread in threads:
        thread.join(45)

    story.end()

    assert all(transcript.is_complete for transcript in transcripts)
    assert max(transcript.connections for transcript in transcripts) > 1


def test_a_stream_cut_after_every_few_frames_delivers_each_event_once(story: Story):
    submitted = story.submit("tools=2 tool=write_again latency=0.2")
    transcript = story.transcript(submitted)
    while not transcript.is_complete:
        story.stack.client.follow(transcript, cut_after=3)

    story.end()

    assert transcript.connections > 5


def test_a_stream_that_is_open_before_its_worker_is_killed_brings_the_terminal_event(story: Story):
    submitted = story.submit("tools=1 tool=write_again latency=1.0")
    transcript = story.transcript(submitted)
    [thread] = follow_in_background(story, [transcript])
    story.wait_until_status(submitted, "running")
    with story.stack.log() as log:
        pid = log.request(submitted.request_id).owner_pid
    story.stack.clusters[0].signal_member(pid, signal.SIGKILL)
    thread.join(40)

    story.end()

    assert transcript.is_complete
    assert transcript.connections == 1
