"""The log over HTTP: events, traces and the switch for all of it (contract 2.2.12, 2.2.13, A31, A34)."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from agents.models import Agent
from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from tests.house.test_every_url import routes
from tests.runtime.test_delegation import ABOUT, delegating
from tests.web import Web
from workspaces.models import Workspace

EVENTS = "/api/v1/telemetry/events"


@pytest.fixture
def ended(workspace: Workspace, agent: Agent, run_requests: Driver) -> AgentRequest:
    AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", message="tools=1 tool=echo say=hi")
    return run_requests()[0]


def ask(client: APIClient, path: str, agent: Agent, **query: object) -> dict[str, Any]:
    answer = client.get(f"/api/v1/telemetry/{path}", {"agent_id": agent.agent_id, **query})
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def test_events_have_the_contracts_shape_and_order(api_client: APIClient, agent: Agent, ended: AgentRequest) -> None:
    data = ask(api_client, "events", agent)
    about = {"source": "runtime_event_log", "agent_id": agent.agent_id, "session_id": None, "trace_id": None}
    assert {key: value for key, value in data.items() if key != "events"} == about | {"limit": 2000}
    found = data["events"]
    assert [event["request_seq"] for event in found] == list(range(1, ended.last_sequence + 1))
    thought = next(event for event in found if event["event_type"] == "runtime.llm.think.completed")
    stored = ended.events.get(pk=thought["event_id"])
    assert thought == {
        "event_id": stored.pk,
        "request_id": str(ended.request_id),
        "request_seq": stored.sequence,
        "trace_id": str(ended.trace_id),
        "app_id": agent.agent_id,
        "agent_id": agent.agent_id,
        "session_id": "s",
        "event_type": "runtime.llm.think.completed",
        "loop_index": 0,
        "step_key": "llm.think.0",
        "payload": stored.payload,
        "created_at": stored.created_at.timestamp(),
    }


def test_events_are_filtered_and_limited(
    api_client: APIClient, workspace: Workspace, agent: Agent, ended: AgentRequest, run_requests: Driver
) -> None:
    other = AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="t", message="say=x")
    run_requests()
    other.refresh_from_db()
    every = [event["event_id"] for event in ask(api_client, "events", agent)["events"]]
    assert len(every) == ended.last_sequence + other.last_sequence
    assert [event["event_id"] for event in ask(api_client, "events", agent, limit=3)["events"]] == every[-3:]
    assert ask(api_client, "events", agent, limit=-5)["limit"] == 1
    assert ask(api_client, "events", agent, limit=999_999)["limit"] == 20_000
    for query, count in [
        ({"session_id": "t"}, other.last_sequence),
        ({"session_id": " "}, len(every)),
        # The acceptance has no trace yet.
        ({"trace_id": str(ended.trace_id)}, ended.last_sequence - 1),
        ({"trace_id": "no trace"}, 0),
        ({"request_id": str(other.request_id)}, other.last_sequence),
        ({"after_event_id": every[4]}, len(every) - 5),
        ({"session_id": "t", "trace_id": str(ended.trace_id)}, 0),
    ]:
        assert len(ask(api_client, "events", agent, **query)["events"]) == count, query


def test_what_a_subagent_did_is_told_where_its_parent_waits(
    api_client: APIClient, workspace: Workspace, make_agent: AgentMaker, run_requests: Driver
) -> None:
    make_agent(row={"agent_id": "research"}, display_name="Research", **ABOUT)
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY})
    AgentRequestFactory.create(workspace=workspace, agent=primary, message=delegating(("research", "say=found")))
    run_requests()
    found = ask(api_client, "events", primary)["events"]
    ended = next(event for event in found if event["event_type"] == "subagent.request.completed")
    assert ended["payload"]["data"]["response"]["text"] == "found"


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("events", {}, 422, "VALIDATION_ERROR"),
        ("events", {"agent_id": " "}, 400, "INVALID_REQUEST"),
        ("events", {"agent_id": "nobody"}, 404, "AGENT_NOT_FOUND"),
        ("events", {"agent_id": "primary", "limit": "x"}, 422, "VALIDATION_ERROR"),
        ("traces", {}, 422, "VALIDATION_ERROR"),
        ("reasoning-trace", {"agent_id": "primary", "trace_id": "t"}, 422, "VALIDATION_ERROR"),
        ("reasoning-trace", {"agent_id": "primary", "session_id": " ", "trace_id": "t"}, 400, "INVALID_REQUEST"),
        ("trace", {"agent_id": "primary", "session_id": "s", "trace_id": ""}, 400, "INVALID_REQUEST"),
    ],
)
def test_what_makes_no_sense_is_refused(
    api_client: APIClient, make_agent: AgentMaker, path: str, query: dict[str, str], status: int, code: str
) -> None:
    make_agent(row={"agent_id": "primary"})
    answer = api_client.get(f"/api/v1/telemetry/{path}", query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_the_reasoning_of_a_tool_turn(api_client: APIClient, agent: Agent, ended: AgentRequest) -> None:
    """A31"""
    trace = ask(api_client, "reasoning-trace", agent, session_id="s", trace_id=str(ended.trace_id))
    assert (trace["source"], trace["agent_id"], trace["session_id"]) == ("runtime_event_log", agent.agent_id, "s")
    assert (trace["trace_id"], trace["status"]) == (str(ended.trace_id), "completed")
    assert [step["title"] for step in trace["steps"]] == ["Calling tools: echo", "Finishing execution"]
    assert [(step["step"], step["step_index"]) for step in trace["steps"]] == [(1, 0), (2, 1)]
    tokens = [step["token_usage"]["input"] + step["token_usage"]["output"] for step in trace["steps"]]
    ended.refresh_from_db()
    assert trace["summary"]["total_tokens"] == sum(tokens) == ended.input_tokens + ended.output_tokens
    assert (trace["summary"]["total_steps"], trace["summary"]["total_tools"]) == (2, 1)
    unknown = ask(api_client, "reasoning-trace", agent, session_id="s", trace_id="nothing")
    assert (unknown["status"], unknown["steps"], "error" in unknown) == ("in_progress", [], False)


def test_a_trace_in_figures(api_client: APIClient, agent: Agent, ended: AgentRequest) -> None:
    trace = ask(api_client, "trace", agent, session_id="s", trace_id=str(ended.trace_id))
    assert (trace["user_message"], trace["assistant_response"]) == (ended.message, "hi")
    assert (trace["tools_called"], trace["step_count"], trace["status"]) == (["echo"], 2, "completed")
    assert trace["input_tokens"] == ended.input_tokens


def test_recent_traces_newest_first(
    api_client: APIClient, workspace: Workspace, agent: Agent, ended: AgentRequest, run_requests: Driver
) -> None:
    for session_id in ("s", "t"):
        AgentRequestFactory.create(workspace=workspace, agent=agent, session_id=session_id, message="say=x")
    requests = [ended, *run_requests()]
    AgentRequestFactory.create(workspace=workspace, agent=agent, message="not begun")
    found = ask(api_client, "traces", agent)["traces"]
    assert [trace["trace_id"] for trace in found] == [str(row.trace_id) for row in reversed(requests)]
    assert [trace["trace_id"] for trace in ask(api_client, "traces", agent, limit=1)["traces"]] == [
        found[0]["trace_id"]
    ]
    of_session = ask(api_client, "traces", agent, session_id="s")["traces"]
    assert [trace["session_id"] for trace in of_session] == ["s", "s"]
    oldest = found[-1]
    assert oldest["event_count"] == ended.last_sequence - 1
    assert oldest["latest_event_id"] == ended.events.order_by("-id")[0].pk
    assert oldest["started_at"] <= oldest["latest_event_at"]


def test_with_telemetry_off_every_route_of_it_says_so(web: Web, api_client: APIClient, settings: Settings) -> None:
    """A34"""
    settings.MASH_OBSERVABILITY_ENABLED = False
    watching = {route for route in routes() if route.pattern.startswith("api/v1/telemetry/")}
    assert len(watching) >= 8
    for route in watching:
        answer = web.call(route.method, f"/{route.pattern}")
        assert (answer.status, answer.json()["error"]["code"]) == (503, "OBSERVABILITY_DISABLED"), route
    assert Web().get(EVENTS).status == 401
    health = api_client.get("/api/v1/health").json()["data"]["observability"]
    assert (health["enabled"], health["memory"]["search_available"]) == (False, False)
