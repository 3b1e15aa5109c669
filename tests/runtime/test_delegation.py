"""Handing work to subagents: children are requests of their own, and their parent waits without holding anything."""

import json
import time
from typing import Any

import pytest

from agents.models import Agent
from benchmarks.model_server import ModelServer
from runtime.kinds import EventKind
from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver, Stepper
from tests.factories import AgentRequestFactory
from tests.web import Web
from workspaces.models import Workspace

ABOUT = {"description": "Finds things.", "capabilities": ["search"], "usage_guidance": "For look-ups."}


@pytest.fixture
def primary(make_agent: AgentMaker) -> Agent:
    """A primary agent `primary` with the subagents `research` and `writer`."""
    for name in ("research", "writer"):
        make_agent(row={"agent_id": name}, display_name=name.title(), **ABOUT)
    return make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY})


def delegating(*prompts: tuple[str, str], opts: dict[str, Any] | None = None) -> str:
    """The message that makes the scripted model hand these prompts to these subagents."""
    more = {"opts": opts} if opts else {}
    calls = [{"agent_id": agent_id, "prompt": prompt, **more} for agent_id, prompt in prompts]
    return f"tools=1 calls={len(calls)} tool=InvokeSubagent args={json.dumps(calls)} say=done"


def send(primary: Agent, message: str, **values: object) -> AgentRequest:
    return AgentRequestFactory.create(
        workspace=primary.workspace, agent=primary, session_id="s-1", message=message, **values
    )


def results_of(agent_request: AgentRequest) -> list[dict[str, Any]]:
    """What the model was told of each delegation, in the order in which they ended."""
    events = agent_request.events.filter(event_type=EventKind.SUBAGENT_COMPLETED).order_by("sequence")
    return [json.loads(event.payload["result"]["content"]) for event in events]


def test_a_subagent_answers_in_a_session_of_its_own(primary: Agent, run_requests: Driver, workspace: Workspace) -> None:
    parent = send(primary, delegating(("research", "say=found")), user="ada", metadata={"ticket": 7})
    run_requests()
    parent.refresh_from_db()
    child = parent.children.get()
    assert (parent.status, child.status) == ("completed", "completed")
    assert child.session_id == "subagent:research:ab1a49c3c907282c7c1ea448"
    assert (child.user, child.metadata, child.depth) == ("ada", {"ticket": 7}, 1)
    [result] = results_of(parent)
    assert (result["text"], result["request_id"]) == ("found", str(child.request_id))
    about = {"agent_id", "primary_session_id", "subagent_session_id", "primary_app_id", "request_id"}
    assert set(result) == about | {"text", "metadata", "duration_ms"}
    keys = {"primary_session_id", "primary_app_id", "subagent_id", "subagent_invoke_opts"}
    assert child.trace_id
    assert keys <= set(workspace.turns.get(turn_id=child.trace_id).metadata)
    assert keys == set(child.events.get(sequence=1).payload["request_metadata"])


def test_a_step_lasts_as_long_as_what_it_waited_for(primary: Agent, run_requests: Driver) -> None:
    parent = send(primary, delegating(("research", "say=found latency=0.4")))
    run_requests()
    first = parent.events.filter(event_type=EventKind.STEP_COMPLETED).order_by("sequence")[0]
    assert first.payload["duration_ms"] >= 400


def test_a_childs_tokens_are_not_its_parents(primary: Agent, run_requests: Driver, workspace: Workspace) -> None:
    parent = send(primary, delegating(("research", "say=found")))
    run_requests()
    parent.refresh_from_db()
    thoughts = parent.events.filter(event_type=EventKind.THINK_COMPLETED)
    assert parent.input_tokens == sum(event.payload["token_usage"]["input"] for event in thoughts)
    own = workspace.sessions.get(session_id="s-1").total_tokens
    assert own == parent.input_tokens + parent.output_tokens


def test_the_parent_sees_what_the_child_does(primary: Agent, run_requests: Driver, web: Web) -> None:
    parent = send(primary, delegating(("research", "tools=1 tool=echo say=found")))
    run_requests()
    child = parent.children.get()
    frames = web.get(f"/api/v1/agent/primary/request/{parent.request_id}/events").frames()
    traces = [frame.data for frame in frames if frame.event == "agent.trace"]
    kinds = [trace["event_type"] for trace in traces]
    mirrored = [kind for kind in kinds if kind.startswith("subagent.")]
    assert mirrored[:2] == ["subagent.request.accepted", "subagent.request.started"]
    assert mirrored[-1] == "subagent.request.completed"
    assert kinds.index("agent.tool.call") < kinds.index("subagent.request.accepted")
    assert kinds.index("subagent.request.completed") < kinds.index("agent.tool.result")
    said = [trace["payload"] for trace in traces if trace["event_type"] == "subagent.agent.trace"]
    thought = next(each for each in said if each["data"]["event_type"] == "runtime.llm.think.completed")
    assert thought["request_id"] == str(child.request_id)
    assert thought["payload"]["data"]["payload"]["tool_calls"][0]["name"] == "echo"
    for stored in parent.events.filter(event_type="subagent.agent.trace"):
        assert "data" not in stored.payload, "A mirror is a reference, not a copy."
    numbers = list(parent.events.order_by("sequence").values_list("sequence", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_subagents_of_one_step_start_together_and_their_results_keep_the_order(
    primary: Agent, run_once: Stepper, run_requests: Driver, model: ModelServer
) -> None:
    parent = send(primary, delegating(("research", "say=one"), ("writer", "say=two")))
    run_once(parent)
    assert (parent.status, parent.pause_reason, parent.lease_owner) == ("paused", "subagent", "")
    first, second = parent.children.order_by("pk")
    assert (first.status, second.status) == ("accepted", "accepted")
    assert not run_once(parent), "A parked request is nobody's to claim until something has happened."
    run_once(second)
    run_once(parent)
    assert parent.status == "paused"
    run_requests()
    parent.refresh_from_db()
    assert parent.status == "completed"
    assert [result["text"] for result in results_of(parent)] == ["two", "one"]
    told = model.requests()[-1]["body"]["messages"][-1]["content"]
    assert "one" in str(told[0])
    assert "two" in str(told[1])


def test_two_delegations_to_one_subagent_run_one_after_another(primary: Agent, run_requests: Driver) -> None:
    parent = send(primary, delegating(("research", "say=one"), ("research", "say=two")))
    run_requests()
    first, second = parent.children.order_by("pk")
    assert first.session_id == second.session_id
    assert first.finished_at <= second.started_at
    assert [result["text"] for result in results_of(parent)] == ["one", "two"]


@pytest.mark.appendix_a("A9")
def test_a_parent_that_lost_its_worker_finds_its_child_again(
    primary: Agent, run_once: Stepper, run_requests: Driver
) -> None:
    parent = send(primary, delegating(("research", "say=found")))
    run_once(parent)
    # As a worker leaves it that was killed after the child was made and before the parent was parked.
    parked = parent.events.get(event_type=EventKind.REQUEST_PAUSED).sequence
    parent.events.filter(sequence__gte=parked).delete()
    parent.workspace.agent_requests.filter(pk=parent.pk).update(
        status="running", pause_reason="", lease_expires_at=parent.accepted_at, last_sequence=parked - 1
    )
    run_requests()
    parent.refresh_from_db()
    assert (parent.status, parent.children.count()) == ("completed", 1)
    assert parent.events.filter(event_type=EventKind.TOOL_STARTED).count() == 1


def test_a_child_that_takes_too_long_is_stopped(primary: Agent, run_once: Stepper) -> None:
    parent = send(primary, delegating(("research", "say=never"), opts={"timeout_ms": 50}))
    run_once(parent)
    time.sleep(0.1)
    assert run_once(parent)
    assert parent.status == "completed"
    [result] = results_of(parent)
    assert result["error_source"] == "timeout"
    child = parent.children.get()
    assert (child.status, child.cancelled_by) == ("cancelled", f"request:{parent.request_id}")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("fail=empty", {"error_source": "subagent_response", "error_code": "empty_response", "retryable": False}),
        ("fail=400", {"error_source": "subagent", "error_code": "request_rejected", "retryable": False}),
        ("fail=context", {"error_source": "subagent", "error_code": "context_length_exceeded", "retryable": False}),
    ],
)
def test_what_keeps_a_subagent_from_an_answer_is_told(
    primary: Agent, run_requests: Driver, prompt: str, expected: dict[str, Any]
) -> None:
    parent = send(primary, delegating(("research", prompt)))
    run_requests()
    parent.refresh_from_db()
    assert parent.status == "completed"
    [result] = results_of(parent)
    assert {name: result[name] for name in expected} == expected


def test_a_subagent_out_of_steps_is_no_answer(make_agent: AgentMaker, run_requests: Driver, model: ModelServer) -> None:
    make_agent(row={"agent_id": "research"}, max_steps=1, **ABOUT)
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY})
    parent = send(primary, delegating(("research", "tools=9 tool=echo")))
    run_requests()
    [result] = results_of(parent)
    assert (result["error_source"], result["error_code"]) == ("subagent_response", "max_steps_exceeded")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"agent_id": " ", "prompt": "x"}, "agent_id must be"),
        ({"agent_id": "research", "prompt": ""}, "prompt must be"),
        ({"agent_id": "research", "prompt": "x", "opts": 3}, "opts must be"),
        ({"agent_id": "stranger", "prompt": "x"}, "There is no subagent"),
    ],
)
def test_bad_delegations_are_answered_to_the_model(
    primary: Agent, run_requests: Driver, arguments: dict[str, Any], told: str
) -> None:
    parent = send(primary, f"tools=1 tool=InvokeSubagent args={json.dumps(arguments)} say=done")
    run_requests()
    parent.refresh_from_db()
    assert parent.status == "completed"
    result = parent.events.get(event_type=EventKind.SUBAGENT_COMPLETED).payload["result"]
    assert result["is_error"]
    assert told in result["content"]


def test_more_than_the_limit_of_one_step_are_refused(make_agent: AgentMaker, run_requests: Driver) -> None:
    make_agent(row={"agent_id": "research"}, **ABOUT)
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY}, max_fan_out=1)
    parent = send(primary, delegating(("research", "say=one"), ("research", "say=two")))
    run_requests()
    results = results_of(parent)
    assert {result.get("error_code") for result in results} == {None, "fan_out_exceeded"}
    assert parent.children.count() == 1


def test_subagents_do_not_delegate_unless_they_may(
    make_agent: AgentMaker, run_requests: Driver, model: ModelServer
) -> None:
    deep = {"subagents": ["helper"], "max_delegation_depth": 2}
    make_agent(row={"agent_id": "helper"}, **ABOUT)
    make_agent(row={"agent_id": "research"}, **ABOUT, **deep)
    make_agent(row={"agent_id": "writer"}, **ABOUT)
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY})
    inner = delegating(("helper", "say=bottom"))
    parent = send(primary, delegating(("research", inner), ("writer", "say=flat")))
    run_requests()
    parent.refresh_from_db()
    assert parent.status == "completed"
    [research] = parent.children.filter(agent__agent_id="research")
    assert [grandchild.depth for grandchild in research.children.all()] == [2]
    offered = {
        call["body"]["messages"][0]["content"][0]["text"]: [tool["name"] for tool in call["body"].get("tools", [])]
        for call in model.requests()
    }
    assert "InvokeSubagent" in offered[inner]
    assert "InvokeSubagent" not in offered["say=flat"]
    assert not parent.events.filter(event_type__startswith="subagent.subagent").exists()


def test_the_primarys_prompt_names_its_subagents(primary: Agent, run_requests: Driver, model: ModelServer) -> None:
    send(primary, "say=hello")
    run_requests()
    [call] = model.requests()
    prompt = str(call["body"]["system"])
    assert prompt.index("research (Research)") < prompt.index("writer (Writer)")
    assert "search" in prompt
