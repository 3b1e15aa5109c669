"""Each model call is counted once: on its request, in the day's sums, and in what the API reports."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from agents.models import Agent
from runtime import events
from runtime.events import NewEvent
from runtime.kinds import EventKind
from runtime.models import AgentRequest
from tests.admin.conftest import browser_of, make_member
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from tests.runtime.test_delegation import ABOUT, delegating
from workspaces.models import Workspace
from workspaces.roles import Role
from workspaces.tokens import issue_token

USAGE = "/api/v1/telemetry/usage"


def thought(index: int, **payload: Any) -> NewEvent:
    usage = {"input_tokens": 1000, "output_tokens": 100, "cache_read_tokens": 500, "cache_write_tokens": 300}
    about = {"usage": usage, "provider": "anthropic", "model": "claude-haiku-4-5-20251001"}
    return NewEvent(event_type=EventKind.THINK_COMPLETED, key=f"llm.think.{index}", payload=about | payload)


@pytest.fixture
def agent_request(workspace: Workspace, agent: Agent) -> AgentRequest:
    return AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", user="ada")


def usage_of(client: APIClient, agent_request: AgentRequest) -> dict[str, Any]:
    path = f"/api/v1/agent/{agent_request.agent.agent_id}/request/{agent_request.request_id}"
    return client.get(path).json()["data"]["usage"]


def report(client: APIClient, group_by: str, **query: object) -> dict[str, Any]:
    answer = client.get(USAGE, {"group_by": group_by, **query})
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def test_a_call_is_priced_and_counted_in_the_transaction_of_its_event(
    agent_request: AgentRequest, api_client: APIClient
) -> None:
    events.append(agent_request, [thought(0)])
    payload = agent_request.events.get(event_type=EventKind.THINK_COMPLETED).payload
    assert payload["cost_usd"] == 0.001125
    assert payload["price"].startswith("genai-prices/")
    expected = {
        "model_calls": 1,
        "input": 1000,
        "output": 100,
        "cache_read": 500,
        "cache_write": 300,
        "reasoning": 0,
        "cost_usd": 0.001125,
        "has_unknown_price": False,
    }
    assert usage_of(api_client, agent_request) == {"own": expected, "including_children": expected}
    for group_by in ("day", "agent", "user", "model", "session"):
        found = report(api_client, group_by)
        assert found["totals"] == expected
        assert [row | expected for row in found["rows"]] == found["rows"]


@pytest.mark.parametrize("attempt", [0, 2])
def test_an_event_that_is_left_out_as_a_repeat_is_not_counted_again(
    agent_request: AgentRequest, api_client: APIClient, attempt: int
) -> None:
    agent_request.attempt = attempt
    for batch in ([thought(0)], [thought(0)], [thought(0), thought(1)], [thought(1)]):
        events.append(agent_request, batch)
    own = usage_of(api_client, agent_request)["own"]
    assert (own["model_calls"], own["cost_usd"]) == (2, 0.00225)
    assert report(api_client, "model")["totals"]["model_calls"] == 2


def test_an_unknown_price_is_flagged_and_never_zero(agent_request: AgentRequest, api_client: APIClient) -> None:
    events.append(agent_request, [thought(0), thought(1, model="house-model")])
    payload = agent_request.events.get(dedupe_key="llm.think.1").payload
    assert (payload["cost_usd"], payload["price"]) == (None, None)
    own = usage_of(api_client, agent_request)["own"]
    assert (own["model_calls"], own["cost_usd"], own["has_unknown_price"]) == (2, 0.001125, True)
    rows = report(api_client, "model")["rows"]
    assert [(row["model"], row["has_unknown_price"]) for row in rows] == [
        ("claude-haiku-4-5-20251001", False),
        ("house-model", True),
    ]


def test_a_turn_counts_what_the_vendor_reported(
    workspace: Workspace, agent: Agent, run_requests: Driver, api_client: APIClient
) -> None:
    AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", message="tools=2 tool=echo say=hi")
    [agent_request] = run_requests()
    calls = [
        event.payload for event in agent_request.events.filter(event_type=EventKind.THINK_COMPLETED).order_by("id")
    ]
    own = usage_of(api_client, agent_request)["own"]
    assert own["model_calls"] == len(calls) == 3
    assert own["input"] == sum(call["usage"]["input_tokens"] for call in calls)
    assert own["cache_read"] == sum(call["usage"]["cache_read_tokens"] for call in calls) > 0
    assert own["cost_usd"] == pytest.approx(sum(call["cost_usd"] for call in calls), rel=1e-9)
    assert report(api_client, "session")["rows"] == [{"agent_id": agent.agent_id, "session_id": "s", **own}]


def test_a_parent_shows_its_children_and_nothing_is_counted_twice(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver, api_client: APIClient
) -> None:
    make_agent(row={"agent_id": "research"}, display_name="Research", **ABOUT)
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY})
    parent = AgentRequestFactory.create(
        workspace=workspace, agent=primary, session_id="s", message=delegating(("research", "say=found"))
    )
    run_requests()
    usage = usage_of(api_client, parent)
    child = usage_of(api_client, parent.children.get())["own"]
    assert (usage["own"]["model_calls"], child["model_calls"]) == (2, 1)
    assert usage["including_children"]["model_calls"] == 3
    assert usage["including_children"]["input"] == usage["own"]["input"] + child["input"]
    assert report(api_client, "agent")["totals"] == usage["including_children"]
    [listed] = api_client.get("/api/v1/agent/primary/requests").json()["data"]["requests"]
    assert listed["usage"] == {"own": usage["own"], "including_children": None}


def test_reports_page_by_key_and_keep_to_their_span(
    workspace: Workspace, agent: Agent, api_client: APIClient, stranger_client: APIClient
) -> None:
    for user in ("ada", "bob", "carl"):
        row = AgentRequestFactory.create(workspace=workspace, agent=agent, user=user, session_id=user)
        events.append(row, [thought(0)])
    for group_by in ("user", "session"):
        first = report(api_client, group_by, limit=2)
        second = report(api_client, group_by, limit=2, cursor=first["next"])
        key = "user" if group_by == "user" else "session_id"
        assert [row[key] for row in first["rows"] + second["rows"]] == ["ada", "bob", "carl"]
        assert (second["next"], second["totals"]["model_calls"]) == (None, 3)
    long_ago = timezone.now() - timedelta(days=400)
    old = {"since": long_ago.timestamp(), "until": (long_ago + timedelta(days=30)).timestamp()}
    for group_by in ("day", "session"):
        assert report(api_client, group_by, **old)["rows"] == []
        assert report(stranger_client, group_by)["rows"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"group_by": "planet"},
        {"since": "x"},
        {"since": "5", "until": "4"},
        {"cursor": "!"},
        {"cursor": "WyJhIl0", "group_by": "day"},
        {"limit": "0"},
    ],
)
def test_an_odd_question_is_refused(api_client: APIClient, query: dict[str, str]) -> None:
    answer = api_client.get(USAGE, query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")


def test_the_beginning_of_time_is_a_time_too(api_client: APIClient) -> None:
    assert api_client.get(USAGE, {"until": str(-62_135_596_799)}).status_code == 200


def test_usage_has_a_scope_of_its_own(workspace: Workspace, api_client: APIClient) -> None:
    token = issue_token(workspace, name="t", actor="tests", scopes=["telemetry:read"])[1]
    api_client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert api_client.get(USAGE).status_code == 403


def test_the_admins_page_adds_up(agent_request: AgentRequest, workspace: Workspace, settings) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    events.append(agent_request, [thought(0), thought(1, model="house-model")])
    browser: Client = browser_of(make_member(workspace, Role.VIEWER))
    page = browser.get(reverse("admin:runtime_dailyusage_changelist")).content.decode()
    assert "house-model" in page
    assert "0.0011 +" in page
    assert Decimal("0.001125") == workspace.agent_requests.get().cost_usd
