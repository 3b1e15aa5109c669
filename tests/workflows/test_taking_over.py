"""A run goes from worker to worker: nothing that is finished is done again, whoever takes it and whenever."""

import time
from itertools import count
from typing import Any

import pytest

from agents.stop_signal import StopSignal
from runtime import lease
from runtime.claim import claim
from runtime.execute import execute_request
from runtime.models import AgentRequest
from runtime.recover import find_runnable
from runtime.resume import resume_request
from tests.conftest import AgentMaker
from tests.workflows.conftest import Define, Start, called
from tests.workflows.test_runs import ended, step

_MOST_ATTEMPTS = 300


def work(patience: int) -> int:
    """Claims and runs whatever is runnable, each time by a worker that stops after so many looks; how many it took."""
    attempts = 0
    while AgentRequest.rows.unfinished().exists():
        # A lease that is given up can be seen to have ended a millisecond later.
        time.sleep(0.002)
        for key in find_runnable(10):
            if claimed := claim(key, lease.new_owner()):
                looks = count()
                execute_request(claimed, should_stop=lambda: next(looks) >= patience, stop=StopSignal())  # noqa: B023
                attempts += 1
        assert attempts < _MOST_ATTEMPTS
    return attempts


STEPS: list[dict[str, Any]] = [
    step("first", input="`1`"),
    {
        "id": "each",
        "kind": "map",
        "over": "`[1, 2, 3, 4]`",
        "max_concurrency": 2,
        "steps": [step("a"), step("b", input="steps.a")],
    },
    {
        "id": "both",
        "kind": "parallel",
        "branches": {
            "l": [step("l1", input="`1`")],
            "r": [{"id": "r1", "kind": "workflow", "workflow_id": "inner", "input": "`5`"}],
        },
    },
    step("last", input="sum(steps.each)"),
]


@pytest.mark.parametrize("patience", [2, 3, 5, 50])
def test_a_run_that_changes_hands_again_and_again_repeats_nothing(
    transactional_db: None, define: Define, start: Start, patience: int
) -> None:
    define(step("inner1"), workflow_id="inner")
    run = start(define(*STEPS, output="[steps.last, steps.both.l, steps.both.r]"))
    attempts = work(patience)
    assert ended(run) == ("completed", [80, 2, 10])
    assert set(called.values()) == {1}
    assert len(called) == 12
    assert attempts > 3 or patience == 50


def test_what_was_stopped_as_it_began_begins_after_a_resume(
    transactional_db: None, define: Define, start: Start, make_agent: AgentMaker
) -> None:
    """The cancel comes between the look and the beginning: neither the step's request nor its line in the log is there."""
    make_agent(row={"agent_id": "worker"})
    workflow = define({"id": "ask", "kind": "agent", "agent_id": "worker", "message": "say=hello", "answer": "text"})
    run = start(workflow)
    claimed = claim(run.pk, lease.new_owner())
    assert claimed
    AgentRequest.rows.filter(pk=run.pk).update(cancel_reason="cancelled", cancelled_by="ada")
    execute_request(claimed, should_stop=lambda: False, stop=StopSignal())
    assert ended(run)[0] == "cancelled"
    assert not AgentRequest.rows.filter(parent=run.pk).exists()
    resume_request(AgentRequest.rows.with_agent().get(pk=run.pk), by="ada")
    work(50)
    assert ended(run) == ("completed", "hello")


def test_a_call_whose_worker_was_lost_follows_its_crash_policy(
    transactional_db: None, define: Define, start: Start
) -> None:
    outcomes = {}
    for policy in ("idempotent", "at_most_once"):
        workflow = define(step("only", input="`1`", crash_policy=policy), workflow_id=policy)
        run = start(workflow)
        claimed = claim(run.pk, "a worker that is gone")
        assert claimed
        _begin_and_vanish(claimed)
        AgentRequest.rows.filter(pk=run.pk).update(lease_owner="")
        work(50)
        status, result = ended(run)
        outcomes[policy] = status, result if status == "completed" else result["error_code"]
    assert outcomes == {"idempotent": ("completed", 2), "at_most_once": ("failed", "interrupted")}


def _begin_and_vanish(claimed: AgentRequest) -> None:
    """Writes that the step begins, as its worker would have, and does nothing more."""
    from runtime import events
    from workflows import log
    from workflows.open_run import OpenRun

    run = OpenRun.read(claimed)
    events.append(claimed, [log.started("only", run.definition.steps[0], 1, 1)], claimed.attempt)
