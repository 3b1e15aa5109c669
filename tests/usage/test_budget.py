"""A cost limit stops a request before the call that it does not allow (extensions 3)."""

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from agents.models import Agent
from benchmarks.model_server import ModelServer
from runtime.models import AgentRequest
from runtime.usage.prices import forget_overrides
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from tests.runtime.test_delegation import ABOUT, delegating
from workspaces.models import Workspace

LONG = "tools=9 tool=echo"


def submit(client: APIClient, agent: Agent, message: str, **limits: Any) -> dict[str, Any]:
    body = {"message": message, "session_id": "s", "limits": limits}
    answer = client.post(f"/api/v1/agent/{agent.agent_id}/request", body, format="json")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def test_a_request_stops_when_its_money_is_spent(
    agent: Agent, api_client: APIClient, run_requests: Driver, model: ModelServer
) -> None:
    submit(api_client, agent, LONG, max_cost_usd=0.000001)
    [agent_request] = run_requests()
    assert (agent_request.status, agent_request.reason) == ("failed", "budget")
    assert agent_request.error["error_code"] == "budget_exceeded"
    assert "0.000001" in agent_request.error["error"]
    assert len(model.requests()) == agent_request.model_calls == 1
    assert agent_request.cost_usd > 0


def test_a_request_within_its_limit_ends_as_ever(agent: Agent, api_client: APIClient, run_requests: Driver) -> None:
    submit(api_client, agent, "tools=2 tool=echo", max_cost_usd=1)
    assert run_requests()[0].status == "completed"


def test_the_agents_limit_holds_and_a_requests_is_only_tighter(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver
) -> None:
    agent = make_agent(max_cost_usd=0.000001)
    AgentRequestFactory.create(workspace=workspace, agent=agent, message=LONG, limits={"max_cost_usd": 5})
    assert run_requests()[0].reason == "budget"


def test_a_limit_without_a_price_is_refused_before_the_first_call(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver, model: ModelServer
) -> None:
    agent = make_agent(model="claude-house")
    AgentRequestFactory.create(workspace=workspace, agent=agent, message="say=hi", limits={"max_cost_usd": 5})
    [refused] = run_requests()
    assert (refused.reason, refused.error["error_code"]) == ("budget", "budget_exceeded")
    assert "claude-house" in refused.error["error"]
    assert model.requests() == []
    workspace.price_overrides.create(
        model_pattern="claude-house*", input_usd="1", output_usd="1", valid_from=timezone.now()
    )
    forget_overrides(workspace)
    AgentRequestFactory.create(workspace=workspace, agent=agent, message="say=hi", limits={"max_cost_usd": 5})
    assert run_requests()[0].status == "completed"


def test_children_spend_from_their_parents_limit(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver
) -> None:
    make_agent(row={"agent_id": "research"}, display_name="Research", **ABOUT)
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY})
    message = delegating(("research", LONG))
    price = _cost_of_first_call(workspace, primary, message, run_requests)
    parent = AgentRequestFactory.create(
        workspace=workspace, agent=primary, session_id="s", message=message, limits={"max_cost_usd": price * 1.01}
    )
    run_requests()
    parent.refresh_from_db()
    child = parent.children.get()
    assert (child.reason, child.model_calls) == ("budget", 1)
    assert (parent.reason, parent.model_calls) == ("budget", 1)


def _cost_of_first_call(workspace: Workspace, agent: Agent, message: str, run_requests: Driver) -> float:
    """What the parent spends before it delegates."""
    AgentRequestFactory.create(
        workspace=workspace, agent=agent, session_id="trial", message=message, limits={"max_cost_usd": 0.000001}
    )
    run_requests()
    trial: AgentRequest = workspace.agent_requests.get(session_id="trial")
    return float(trial.cost_usd)


@pytest.mark.parametrize("limit", [0, -1, "much", 10_000_000])
def test_an_odd_limit_is_refused(agent: Agent, api_client: APIClient, limit: object) -> None:
    body = {"message": "hi", "session_id": "s", "limits": {"max_cost_usd": limit}}
    answer = api_client.post(f"/api/v1/agent/{agent.agent_id}/request", body, format="json")
    assert answer.status_code == 422
