"""Cancel, resume and rerun from a request's page."""

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Agent
from runtime.kinds import Status
from runtime.models import AgentRequest
from tests.admin.conftest import SignIn
from tests.conftest import AgentMaker, Driver, Stepper
from tests.factories import AgentRequestFactory
from tests.runtime.test_delegation import ABOUT, delegating
from workspaces.models import Workspace
from workspaces.roles import Role


@pytest.fixture
def agent_request(make_agent: AgentMaker, transactional_db: None) -> AgentRequest:
    agent = make_agent()
    return AgentRequestFactory.create(workspace=agent.workspace, agent=agent, session_id="s", message="say=hello")


def steer_url(agent_request: AgentRequest, verb: str) -> str:
    return reverse("admin:runtime_agentrequest_steer", args=[agent_request.pk, verb])


def change_url(agent_request: AgentRequest) -> str:
    return reverse("admin:runtime_agentrequest_change", args=[agent_request.pk])


def offered(client: Client, agent_request: AgentRequest) -> set[str]:
    page = client.get(change_url(agent_request)).content.decode()
    return {verb for verb in ("cancel", "resume", "rerun") if steer_url(agent_request, verb) in page}


def audited(workspace: Workspace) -> list[tuple[str, str]]:
    entries = workspace.audit_entries.filter(action__startswith="request.").order_by("pk")
    return list(entries.values_list("action", "target"))


def test_a_request_is_cancelled_resumed_and_rerun(
    agent_request: AgentRequest, sign_in: SignIn, run_requests: Driver, workspace: Workspace
) -> None:
    client = sign_in(Role.OPERATOR)
    assert offered(client, agent_request) == {"cancel"}
    assert "so does whatever it has delegated" in client.get(steer_url(agent_request, "cancel")).content.decode()
    agent_request.refresh_from_db()
    assert agent_request.status == Status.ACCEPTED, "Looking changes nothing."

    assert client.post(steer_url(agent_request, "cancel")).status_code == 302
    agent_request.refresh_from_db()
    assert agent_request.status == Status.CANCELLED
    ended = agent_request.events.get(sequence=agent_request.last_sequence)
    assert ended.payload["by"].startswith("user-")
    assert offered(client, agent_request) == {"resume", "rerun"}

    client.post(steer_url(agent_request, "resume"))
    run_requests()
    agent_request.refresh_from_db()
    assert (agent_request.status, agent_request.run) == (Status.COMPLETED, 2)
    assert offered(client, agent_request) == {"rerun"}

    answer = client.post(steer_url(agent_request, "rerun"), follow=True)
    again = agent_request.reruns.get()
    assert answer.redirect_chain[-1][0] == f"{change_url(again)}?watch=1"
    assert change_url(agent_request) in answer.content.decode()
    assert change_url(again) in client.get(change_url(agent_request)).content.decode()
    target = str(agent_request.request_id)
    verbs = ("request.cancelled", "request.resumed", "request.rerun")
    assert audited(workspace) == [(verb, target) for verb in verbs]


def test_what_is_refused_says_why_and_leaves_no_trace(
    agent_request: AgentRequest, sign_in: SignIn, run_requests: Driver, workspace: Workspace
) -> None:
    run_requests()
    answer = sign_in(Role.OPERATOR).post(steer_url(agent_request, "resume"))
    assert answer.status_code == 200
    assert "Only a request that failed or was cancelled can be resumed" in answer.content.decode()
    assert audited(workspace) == []


@pytest.mark.parametrize("verb", ["cancel", "resume", "rerun"])
def test_a_viewer_steers_nothing(agent_request: AgentRequest, sign_in: SignIn, verb: str) -> None:
    client = sign_in(Role.VIEWER)
    assert offered(client, agent_request) == set()
    for answer in (client.get(steer_url(agent_request, verb)), client.post(steer_url(agent_request, verb))):
        assert answer.status_code == 403
    agent_request.refresh_from_db()
    assert agent_request.status == Status.ACCEPTED


def test_an_action_that_does_not_exist_is_not_found(agent_request: AgentRequest, sign_in: SignIn) -> None:
    assert sign_in(Role.OWNER).post(steer_url(agent_request, "explode")).status_code == 404


def test_parent_and_child_lead_to_each_other(make_agent: AgentMaker, run_once: Stepper, sign_in: SignIn) -> None:
    make_agent(row={"agent_id": "research"}, **ABOUT)
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY})
    parent = AgentRequestFactory.create(
        workspace=primary.workspace, agent=primary, message=delegating(("research", "say=x"))
    )
    run_once(parent)
    child, client = parent.children.get(), sign_in(Role.VIEWER)
    page = client.get(change_url(parent)).content.decode()
    assert change_url(child) in page
    assert "paused: subagent" in page
    assert change_url(parent) in client.get(change_url(child)).content.decode()
