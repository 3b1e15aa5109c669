"""Stopping in good order, and the supervisor that starts again what did not."""

import os
import signal
import time

import psutil

from benchmarks.chaos.processes import is_alive
from benchmarks.chaos.servers import wait_until
from benchmarks.chaos.stack import Stack
from tests.processes.conftest import Story


def test_sigterm_lets_steps_reach_their_boundary_and_requests_go_on_after_the_restart(story: Story, cluster):
    """The model's answer is awaited and written; the next step is left to the successor."""
    submitted = [story.submit("tools=2 tool=pay_once latency=1.0") for _ in range(10)]
    for each in submitted:
        story.wait_until_event(each, "runtime.llm.think.started")
    stopped = cluster.stop(within_s=12)
    with story.stack.log() as log:
        left = [row for row in log.requests() if row.key.startswith(story.name)]
    cluster.start()

    evidence = story.end()

    assert stopped == 0
    assert {(row.status, row.lease_owner) for row in left} == {("running", "")}
    for each in submitted:
        # No call was cut off by the stop, so none had to be made twice.
        assert story.stack.model.recording.counts[each.key] == 3
    mine = [row for row in evidence.requests if row.key.startswith(story.name)]
    assert {(row.status, row.attempt) for row in mine} == {("completed", 2)}


def test_a_step_that_outlasts_the_drain_does_not_hold_up_the_stop(story: Story, cluster):
    submitted = story.submit("latency=8")
    story.wait_until_event(submitted, "runtime.llm.think.started")
    began = time.monotonic()
    cluster.stop(within_s=12)
    took_s = time.monotonic() - began
    cluster.start()

    story.end()

    assert took_s < 8


def test_a_step_that_begins_just_before_the_stop_still_gets_its_threads(story: Story, cluster):
    """The interpreter must not shut down under the calls: from then on it starts no thread."""
    submitted = story.submit('tools=1 calls=2 tool=write_again latency=1 args={"seconds": 0.1}')
    story.wait_until_event(submitted, "runtime.llm.think.started")
    with story.stack.write_lock(submitted.request_id):
        time.sleep(2)
        os.kill(cluster.pid, signal.SIGTERM)
        time.sleep(2)
    cluster.stop(within_s=12)
    cluster.start()

    evidence = story.end()

    assert [row.status for row in evidence.requests if row.key == submitted.key] == ["completed"]
    assert story.stack.model.recording.counts[submitted.key] == 2


def test_a_queue_whose_lock_died_with_an_idle_worker_stops_nothing(story: Story, cluster):
    """One of two idle workers waits inside the queue's lock; killing both surely leaves it taken."""
    cluster.stop(within_s=15)
    cluster.start()
    story.stack.wait_for_crew(cluster)
    # The sentinel starts the workers before the monitor and the pusher.
    for worker in cluster.crew()[:2]:
        worker.kill()
    story.stack.wait_for_crew(cluster)
    for _ in range(4):
        story.submit("tools=1 tool=pay_once")
    story.end()

    # Nor does it hold up the stop, though no worker can be told through the queue.
    assert cluster.stop(within_s=15) == 0
    cluster.start()


def test_the_supervisor_restarts_what_died_and_leaves_nobody_behind_when_it_dies_itself(stack: Stack):
    stack.web.stop(10)
    stack.clusters[0].stop(15)
    supervisor = stack.process("supervisor", "mash_run")
    supervisor.start()
    try:
        stack.wait_for_web()
        wait_until("web and cluster run", lambda: len(psutil.Process(supervisor.pid).children()) == 2, 10)
        story = Story(stack, "supervised")
        before = story.submit("tools=1 tool=pay_once latency=1")
        story.wait_until_status(before, "running", within_s=20)
        for child in psutil.Process(supervisor.pid).children():
            os.kill(child.pid, signal.SIGKILL)
        story.submit("say=afterwards")
        story.end()
        family = supervisor.family()
        supervisor.kill()
        wait_until("its children end", lambda: not any(is_alive(process) for process in family), 12)
    finally:
        supervisor.kill_all()
        stack.ensure_running()
