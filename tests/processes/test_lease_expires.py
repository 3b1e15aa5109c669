"""A lease that runs out while its owner still lives: the old attempt is fenced."""

import signal
import time

from tests.processes.conftest import LEASE_S, Story


def test_a_worker_that_was_suspended_writes_nothing_once_another_has_taken_over(story: Story, cluster):
    submitted = story.submit('tools=1 tool=pay_once latency=0.5 args={"seconds": 1}')
    story.wait_until_event(submitted, "runtime.llm.think.started")
    with story.stack.log() as log:
        pid = log.request(submitted.request_id).owner_pid
    cluster.signal_member(pid, signal.SIGSTOP)
    try:
        story.wait_until_status(submitted, "completed", within_s=LEASE_S + 30)
    finally:
        cluster.signal_member(pid, signal.SIGCONT)
    # The old attempt wakes with its model's answer in hand and tries to go on.
    time.sleep(2)

    evidence = story.end()

    [request] = [row for row in evidence.requests if row.request_id == submitted.request_id]
    assert (request.status, request.attempt) == ("completed", 2)
    assert [line["phase"] for line in evidence.ledger if submitted.request_id in line["key"]] == ["begun", "done"]


def test_a_step_longer_than_the_lease_keeps_it(story: Story):
    submitted = story.submit(f"latency={LEASE_S + 2}")

    evidence = story.end()

    [request] = [row for row in evidence.requests if row.request_id == submitted.request_id]
    assert request.attempt == 1
