"""mash_replay: the loop goes the same way again, and says where it would not."""

import uuid
from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from agents.models import Agent
from runtime.kinds import EventKind
from runtime.models import AgentRequest
from tests.commands.conftest import Said
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from tests.runtime.test_delegation import ABOUT, delegating
from workspaces.models import Workspace

Run = Callable[..., Said]


@pytest.fixture
def ended(workspace: Workspace, agent: Agent, run_requests: Driver) -> AgentRequest:
    AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", message="tools=2 calls=2 tool=echo")
    return run_requests()[0]


@pytest.mark.parametrize(
    "message",
    [
        "say=hi",
        "tools=2 calls=2 tool=echo",
        "fail=400",
        "fail=truncated_tool",
        "fail=unknown_tool",
        "fail=bad_args tool=echo",
    ],
)
def test_the_same_code_goes_the_same_way(
    workspace: Workspace, agent: Agent, run_requests: Driver, run: Run, message: str
) -> None:
    AgentRequestFactory.create(workspace=workspace, agent=agent, message=message)
    [agent_request] = run_requests()
    said = run("mash_replay", str(agent_request.request_id))
    assert said.code == 0, said.out
    assert "The loop goes the same way" in said.out


def test_delegations_and_approvals_are_replayed(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver, run: Run, api_client: APIClient
) -> None:
    make_agent(row={"agent_id": "research"}, display_name="Research", **ABOUT)
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY}, requires_approval=("InvokeSubagent",))
    parent = AgentRequestFactory.create(
        workspace=workspace, agent=primary, message=delegating(("research", "say=found"))
    )
    run_requests()
    body = {"interaction_id": parent.interactions.get().interaction_id, "response": "approve"}
    api_client.post(f"/api/v1/agent/primary/request/{parent.request_id}/interaction", body, format="json")
    run_requests()
    parent.refresh_from_db()
    assert parent.status == "completed"
    said = run("mash_replay", str(parent.request_id))
    assert said.code == 0, said.out
    assert "runtime.subagent.call.completed: InvokeSubagent" in said.out


def test_it_stops_at_the_first_event_that_differs(run: Run, ended: AgentRequest) -> None:
    """As if the code of today took the second answer for the last one."""
    answer = ended.events.get(dedupe_key="llm.think.1")
    ended.events.filter(pk=answer.pk).update(payload=answer.payload | {"tool_calls": [], "stop_reason": "end_turn"})
    said = run("mash_replay", str(ended.request_id))
    assert said.code == 1
    assert f"{answer.sequence}  the log says    runtime.llm.think.completed 1: tool_call" in said.out
    assert "the loop says   think 1: finish" in said.out
    assert str(answer.sequence) in said.err


def test_a_rule_that_has_changed_since_shows(run: Run, ended: AgentRequest, workspace: Workspace) -> None:
    workspace.tools_requiring_approval = ["echo"]
    workspace.save()
    said = run("mash_replay", "--quiet", str(ended.request_id))
    assert said.code == 1
    started = ended.events.filter(event_type=EventKind.TOOL_STARTED).order_by("sequence")[0]
    assert f"{started.sequence}  the log says    runtime.tool.call.started: echo" in said.out
    assert "the loop says   ask about echo" in said.out


def test_what_cannot_be_replayed_is_said(run: Run, ended: AgentRequest) -> None:
    assert run("mash_replay", str(uuid.uuid4())).code == 2
    ended.agent.workspace.credentials.all().delete()
    said = run("mash_replay", str(ended.request_id))
    assert (said.code, "cannot be made any more" in said.err) == (2, True)
