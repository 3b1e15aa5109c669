"""What runs do: every kind of step, failures and retries, and going on after an end."""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from agents.models import Agent
from runtime.cancel import cancel_request
from runtime.interactions.answer import answer_interaction
from runtime.kinds import Reason
from runtime.models import AgentRequest
from runtime.public import completed_data
from runtime.resume import resume_request
from runtime.verify.facts import facts_of
from tests.conftest import AgentMaker, Driver
from tests.workflows.conftest import Define, Start, called
from workflows.models import WorkflowRun


def step(step_id: str, function: str = "double", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "kind": "code", "function": function, **more}


def ended(run: WorkflowRun) -> tuple[str, Any]:
    """Status, and what the run returned or why it failed."""
    row = AgentRequest.rows.get(pk=run.pk)
    assert not facts_of(row.events.order_by("sequence")).faults
    if row.status == "completed":
        data = completed_data(row)
        assert data
        return row.status, data[1]["response"]["output"]
    return row.status, row.error


def test_steps_see_what_came_before_them(define: Define, start: Start, run_requests: Driver) -> None:
    workflow = define(
        step("first", input="input.n"),
        step("second", input="steps.first"),
        output="{n: input.n, both: [steps.first, steps.second]}",
    )
    run = start(workflow, {"n": 5})
    run_requests()
    assert ended(run) == ("completed", {"n": 5, "both": [10, 20]})


def test_a_map_gives_its_outputs_in_the_order_of_its_items(define: Define, start: Start, run_requests: Driver) -> None:
    inner = [step("twice"), step("again", input="steps.twice", when="index != `1`")]
    workflow = define({"id": "each", "kind": "map", "over": "input", "steps": inner, "max_concurrency": 3})
    run = start(workflow, list(range(20)))
    run_requests()
    assert ended(run) == ("completed", [2 if n == 1 else 4 * n for n in range(20)])
    assert set(called.values()) == {1}


def test_branches_and_parallel_sequences(define: Define, start: Start, run_requests: Driver) -> None:
    small, large = [step("small", input="`1`")], [step("large", input="`100`")]
    workflow = define(
        {
            "id": "both",
            "kind": "parallel",
            "branches": {
                "left": [step("a", input="`1`")],
                "right": [step("b", input="`2`"), step("c", input="steps.b")],
            },
        },
        {
            "id": "which",
            "kind": "branch",
            "cases": [{"when": "steps.both.right > `5`", "steps": large}],
            "otherwise": small,
        },
    )
    run = start(workflow)
    run_requests()
    assert ended(run) == ("completed", 200)


def test_a_step_is_tried_again_as_its_policy_says(define: Define, start: Start, run_requests: Driver) -> None:
    retry = {"attempts": 3, "backoff_s": 0}
    workflow = define(step("hard", "fail_until", input="`3`", retry=retry), step("next", input="steps.hard"))
    run = start(workflow)
    run_requests()
    assert ended(run) == ("completed", 6)


def test_a_failed_run_goes_on_where_it_failed(define: Define, start: Start, run_requests: Driver) -> None:
    workflow = define(step("first", input="`1`"), step("hard", "fail_until", input="`2`"))
    run = start(workflow)
    run_requests()
    status, error = ended(run)
    assert (status, error["error_code"], error["path"]) == ("failed", "not_yet", "hard")
    resume_request(AgentRequest.rows.with_agent().get(pk=run.pk), by="tests")
    run_requests()
    assert ended(run) == ("completed", 2)
    assert called[f"{run.run_id}:first"] == 1


def test_an_agent_answers_with_the_state_of_the_next_run(
    define: Define, start: Start, make_agent: AgentMaker, run_requests: Driver
) -> None:
    make_agent(row={"agent_id": "worker"})
    answer = json.dumps({"seen": 1}, separators=(",", ":"))
    workflow = define(
        {"id": "t1", "kind": "agent", "agent_id": "worker", "message": f"say={answer}", "keeps_state": True},
        output="steps.t1.seen",
    )
    run = start(workflow)
    run_requests()
    assert ended(run) == ("completed", 1)
    [state] = workflow.task_states.all()
    assert (state.task_id, state.value, state.revision) == ("t1", {"seen": 1}, 1)


def test_a_person_decides(define: Define, start: Start, run_requests: Driver) -> None:
    workflow = define(
        {"id": "ok", "kind": "human", "prompt": "Ship ${input.version}?"},
        step("ship", input="`21`", when="steps.ok.response == 'approve'"),
    )
    run = start(workflow, {"version": "1.2"})
    run_requests()
    row = AgentRequest.rows.with_agent().get(pk=run.pk)
    [question] = row.interactions.all()
    assert (row.status, question.prompt) == ("paused", "Ship 1.2?")
    assert question.deadline > timezone.now() + timedelta(days=29)
    answer_interaction(row, question.interaction_id, "approve", by="ada")
    run_requests()
    assert ended(run) == ("completed", 42)


def test_a_run_that_is_resumed_asks_again(define: Define, start: Start, run_requests: Driver) -> None:
    run = start(define({"id": "ok", "kind": "human", "prompt": "Ship it?"}, output="steps.ok.response"))
    run_requests()
    row = AgentRequest.rows.with_agent().get(pk=run.pk)
    cancel_request(row, reason=Reason.CANCELLED, by="tests")
    resume_request(AgentRequest.rows.with_agent().get(pk=run.pk), by="tests")
    run_requests()
    closed, asked = row.interactions.order_by("pk")
    assert (closed.state, asked.state, asked.prompt) == ("cancelled", "open", "Ship it?")
    answer_interaction(AgentRequest.rows.with_agent().get(pk=run.pk), asked.interaction_id, "approve", by="ada")
    run_requests()
    assert ended(run) == ("completed", "approve")


def test_a_workflow_runs_another_and_ends_it_with_itself(define: Define, start: Start, run_requests: Driver) -> None:
    define(step("twice"), workflow_id="inner")
    outer = define({"id": "call", "kind": "workflow", "workflow_id": "inner", "input": "input.n"}, workflow_id="outer")
    run = start(outer, {"n": 4})
    run_requests()
    assert ended(run) == ("completed", 8)

    define({"id": "wait", "kind": "wait", "signal": "never"}, workflow_id="inner")
    run = start(outer, {"n": 4})
    run_requests()
    cancel_request(AgentRequest.rows.with_agent().get(pk=run.pk), reason="cancelled", by="ada")
    run_requests()
    assert set(AgentRequest.rows.filter(parent=run.pk).values_list("status", flat=True)) == {"cancelled"}


def test_states_are_kept_by_completed_runs_only(define: Define, start: Start, run_requests: Driver) -> None:
    counting = step("count", "count", input="`null`")
    workflow = define(counting, step("hard", "fail_until", input="`2`"))
    failed = start(workflow)
    run_requests()
    assert ended(failed)[0] == "failed"
    assert not workflow.task_states.exists()
    workflow = define(counting)
    outputs = []
    for _ in range(2):
        run = start(workflow)
        run_requests()
        outputs.append(ended(run)[1])
    assert outputs == [1, 2]


def test_a_role_stands_for_every_workflow(define: Define) -> None:
    workflow = define(step("first"))
    assert workflow.agent.role == Agent.Role.WORKFLOW
    assert not workflow.workspace.agents.offered().filter(pk=workflow.agent.pk).exists()


def test_what_failed_together_is_tried_again_together(define: Define, start: Start, run_requests: Driver) -> None:
    """And what they have stopped: a question is asked again. The run says which failure was one."""
    branches = {
        "left": [{"id": "ok", "kind": "human", "prompt": "Ship it?"}],
        "middle": [step("flaky", "fail_until", input="`2`")],
        "right": [step("hard", "fail_until", input="`2`")],
    }
    run = start(define({"id": "both", "kind": "parallel", "branches": branches}, output="steps.both.left.response"))
    run_requests()
    status, error = ended(run)
    assert (status, error["error_code"]) == ("failed", "not_yet")
    # Both fail at once, or the first one stops the other.
    assert error["path"] in {"both/middle/flaky", "both/right/hard"}
    resume_request(AgentRequest.rows.with_agent().get(pk=run.pk), by="tests")
    run_requests()
    row = AgentRequest.rows.with_agent().get(pk=run.pk)
    closed, asked = row.interactions.order_by("pk")
    assert (closed.state, asked.state, row.status) == ("cancelled", "open", "paused")
    answer_interaction(row, asked.interaction_id, "approve", by="ada")
    run_requests()
    assert ended(run) == ("completed", "approve")
