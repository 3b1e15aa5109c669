"""kill -9 of workers and of whole clusters, at the moments that hurt."""

import signal
import time

import pytest

from benchmarks.chaos.processes import signal_quietly
from benchmarks.chaos.servers import wait_until
from tests.processes.conftest import Story


def kill_owner(story: Story, submitted) -> int:
    """Kills the worker process that runs the request."""
    with story.stack.log() as log:
        pid = log.request(submitted.request_id).owner_pid
    assert pid
    assert signal_quietly(pid, signal.SIGKILL)
    return pid


def tool_results(evidence, submitted) -> list[str]:
    request = next(row for row in evidence.requests if row.request_id == submitted.request_id)
    completed = [e for e in evidence.events[request.pk] if e.event_type == "runtime.tool.call.completed"]
    return [event.payload["result"]["content"] for event in completed]


def test_a_worker_killed_while_the_model_thinks_loses_nothing(story: Story):
    submitted = story.submit("tools=1 tool=write_again latency=1.0")
    story.wait_until_event(submitted, "runtime.llm.think.started")
    time.sleep(0.3)
    kill_owner(story, submitted)

    evidence = story.end()

    assert tool_results(evidence, submitted) == ["written"]
    # Both steps were thought once; the killed call was made again.
    assert story.stack.model.recording.counts[submitted.key] == 3


def test_a_tool_that_may_run_once_is_reported_interrupted(story: Story):
    submitted = story.submit('tools=1 tool=pay_once args={"seconds": 30}')
    wait_until("the tool runs", lambda: any(submitted.request_id in e["key"] for e in story.stack.ledger()), 10)
    kill_owner(story, submitted)

    evidence = story.end()

    [result] = tool_results(evidence, submitted)
    assert result.startswith("Interrupted")
    assert [e["phase"] for e in story.stack.ledger() if submitted.request_id in e["key"]] == ["begun"]


@pytest.mark.appendix_a("A8")
def test_an_idempotent_tool_runs_again_under_the_same_key(story: Story):
    submitted = story.submit('tools=1 tool=write_again args={"seconds": 2}')
    wait_until("the tool runs", lambda: any(submitted.request_id in e["key"] for e in story.stack.ledger()), 10)
    kill_owner(story, submitted)

    evidence = story.end()

    lines = [line for line in story.stack.ledger() if submitted.request_id in line["key"]]
    assert tool_results(evidence, submitted) == ["written"]
    assert [line["phase"] for line in lines] == ["begun", "begun", "done"]
    assert len({line["key"] for line in lines}) == 1
    assert story.stack.model.recording.counts[submitted.key] == 2, "What the model had said is not asked again."


def test_a_cluster_killed_with_fifty_requests_running_goes_on_after_its_restart(story: Story, cluster):
    for number in range(50):
        tool = ("pay_once", "write_again")[number % 2]
        story.submit(f"tools=2 tool={tool} latency=1.5")
    story.stack.wait_for("all run", lambda log: all(row.status != "accepted" for row in log.requests()), 15)
    cluster.kill_all()

    cluster.start()

    def all_taken_over(log) -> bool:
        return all(row.attempt > 1 for row in log.unfinished())

    # The budget of 5 s is measured by the benchmarks; a busy machine of CI gets more.
    story.stack.wait_for("all run again", all_taken_over, 30)
    story.end(60)


def test_three_leases_lost_in_a_row_end_the_request(story: Story):
    submitted = story.submit("latency=30")
    for attempt in range(1, 4):

        def is_on_attempt(log, attempt=attempt) -> bool:
            row = log.request(submitted.request_id)
            return row.attempt == attempt and row.owner_pid > 0

        # Long enough for a cluster that restarts itself because an earlier kill took the queue with it.
        story.stack.wait_for(f"attempt {attempt}", is_on_attempt, 45)
        kill_owner(story, submitted)

    evidence = story.end()

    [request] = [row for row in evidence.requests if row.request_id == submitted.request_id]
    assert (request.status, request.reason, request.attempt) == ("failed", "worker_lost", 3)


def test_two_workers_that_want_one_request_do_not_both_get_it(story: Story):
    """The queue delivers everything twice to both workers, and both sweepers look too."""
    second = story.stack.process("second cluster", "mash_worker")
    second.start()
    try:
        story.stack.wait_for_crew(second)
        for _ in range(15):
            story.submit("tools=1 tool=pay_once latency=0.2")
        evidence = story.end()
    finally:
        second.stop(20)
    mine = {submitted.request_id for submitted in story.submitted}
    assert {row.attempt for row in evidence.requests if row.request_id in mine} == {1}


def test_a_cluster_whose_parent_was_killed_leaves_nobody_behind(story: Story, cluster):
    submitted = story.submit("latency=2")
    story.wait_until_status(submitted, "running")
    cluster.kill()

    def is_gone() -> bool:
        return not cluster.family()

    wait_until("the orphans end", is_gone, 5)
    cluster.start()
    story.end()


def test_a_dead_sentinel_ends_the_cluster(story: Story, cluster):
    submitted = story.submit("latency=2")
    story.wait_until_status(submitted, "running")
    cluster.kill_sentinel()

    wait_until("the cluster ends", lambda: not cluster.family(), 5)
    assert cluster.exit_code == 1
    cluster.start()
    story.end()
