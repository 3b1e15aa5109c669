"""A person in the loop: approvals, questions, and what silence means (extensions 5)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from agents.models import Agent
from benchmarks.model_server import ModelServer
from runtime.kinds import EventKind
from runtime.models import AgentRequest, Interaction
from tests import tools
from tests.conftest import AgentMaker, Driver, Stepper
from tests.factories import AgentRequestFactory
from tests.web import Web
from workspaces.models import Workspace

GUARDED = ("echo", "guarded", "delicate", "AskUser")


@pytest.fixture
def agent(make_agent: AgentMaker) -> Agent:
    tools.calls.clear()
    return make_agent(tools=GUARDED)


def send(agent: Agent, message: str) -> AgentRequest:
    return AgentRequestFactory.create(workspace=agent.workspace, agent=agent, session_id="s", message=message)


def question(agent_request: AgentRequest) -> Interaction:
    return agent_request.interactions.order_by("-pk")[0]


def answer(client: APIClient, agent_request: AgentRequest, response: Any, interaction_id: str = "") -> Any:
    interaction_id = interaction_id or question(agent_request).interaction_id
    path = f"/api/v1/agent/{agent_request.agent.agent_id}/request/{agent_request.request_id}/interaction"
    return client.post(path, {"interaction_id": interaction_id, "response": response}, format="json")


def told(model: ModelServer) -> str:
    """The tool results that the model was sent last."""
    return json.dumps(model.requests()[-1]["body"]["messages"][-1])


def test_a_call_runs_only_once_it_is_approved(
    agent: Agent, run_once: Stepper, run_requests: Driver, api_client: APIClient, model: ModelServer
) -> None:
    agent_request = send(agent, 'tools=1 tool=guarded args={"text": "precious"} say=done')
    run_once(agent_request)
    assert (agent_request.status, agent_request.pause_reason, tools.calls) == ("paused", "interaction", [])
    [asked] = api_client.get("/api/v1/interactions?state=open").json()["data"]["interactions"]
    assert asked["kind"] == "approval"
    assert asked["tool_calls"][0] | {"id": ""} == {"id": "", "name": "guarded", "arguments": {"text": "precious"}}
    assert 290 < asked["deadline"] - asked["created_at"] <= 300
    given = answer(api_client, agent_request, {"decision": "approve", "note": "go on"})
    assert given.json()["data"] == {"ok": True, "interaction_id": asked["interaction_id"]}
    run_requests()
    agent_request.refresh_from_db()
    assert (agent_request.status, len(tools.calls)) == ("completed", 1)
    assert "precious" in told(model)
    assert api_client.get("/api/v1/interactions?state=open").json()["data"]["interactions"] == []


@pytest.mark.parametrize("response", ["deny", {"decision": "deny", "note": "too dear"}])
def test_a_denied_call_does_not_run_and_the_model_learns_why(
    agent: Agent, run_once: Stepper, run_requests: Driver, api_client: APIClient, model: ModelServer, response: Any
) -> None:
    agent_request = send(agent, "tools=1 tool=guarded say=done")
    run_once(agent_request)
    answer(api_client, agent_request, response)
    run_requests()
    agent_request.refresh_from_db()
    assert (agent_request.status, tools.calls) == ("completed", [])
    assert "did not approve" in told(model)
    assert response == "deny" or "too dear" in told(model)


def test_silence_denies(agent: Agent, run_once: Stepper, api_client: APIClient, model: ModelServer) -> None:
    agent_request = send(agent, "tools=1 tool=guarded say=done")
    run_once(agent_request)
    assert not run_once(agent_request)
    past = timezone.now() - timedelta(seconds=1)
    agent_request.interactions.update(deadline=past)
    agent_request.workspace.agent_requests.filter(pk=agent_request.pk).update(wakes_at=past)
    late = answer(api_client, agent_request, "approve")
    assert (late.status_code, late.json()["error"]["code"]) == (410, "INTERACTION_EXPIRED")
    assert run_once(agent_request)
    assert (agent_request.status, tools.calls) == ("completed", [])
    assert "Nobody answered in time" in told(model)
    assert question(agent_request).state == "expired"


def test_a_step_goes_on_when_all_its_questions_are_settled(
    agent: Agent, run_once: Stepper, run_requests: Driver, api_client: APIClient, model: ModelServer
) -> None:
    agent_request = send(agent, 'tools=1 calls=2 tool=guarded args=[{"text": "one"}, {"text": "two"}] say=done')
    run_once(agent_request)
    first, second = agent_request.interactions.order_by("pk")
    answer(api_client, agent_request, "approve", first.interaction_id)
    assert not run_once(agent_request)
    answer(api_client, agent_request, "deny", second.interaction_id)
    run_requests()
    agent_request.refresh_from_db()
    assert (agent_request.status, len(tools.calls)) == ("completed", 1)
    results = model.requests()[-1]["body"]["messages"][-1]["content"]
    assert "one" in str(results[0])
    assert "did not approve" in str(results[1])


@pytest.mark.parametrize(
    ("options", "response", "result"),
    [(["tea", "coffee"], ["coffee"], "coffee"), (["tea", "coffee"], "tea", "tea"), (None, "Ada, 1815", "Ada, 1815")],
)
def test_the_model_asks_and_gets_the_answer_as_its_tools_result(
    agent: Agent,
    run_once: Stepper,
    run_requests: Driver,
    api_client: APIClient,
    model: ModelServer,
    options: list[str] | None,
    response: Any,
    result: str,
) -> None:
    arguments = {"question": "Which?", **({"options": options} if options else {})}
    agent_request = send(agent, f"tools=1 tool=AskUser args={json.dumps(arguments)} say=done")
    run_once(agent_request)
    asked = question(agent_request)
    assert (asked.kind, asked.prompt) == ("choice" if options else "info", "Which?")
    assert answer(api_client, agent_request, response).status_code == 200
    run_requests()
    agent_request.refresh_from_db()
    assert agent_request.status == "completed"
    assert result in told(model)


def test_illegal_answers_are_refused_and_change_nothing(
    agent: Agent, run_once: Stepper, api_client: APIClient, stranger_client: APIClient
) -> None:
    agent_request = send(agent, 'tools=1 tool=AskUser args={"question": "Which?", "options": ["a", "b"]}')
    run_once(agent_request)
    for response in ("c", [], ["a", "c"], {"a": 1}, 7, None):
        assert answer(api_client, agent_request, response).status_code == 422, response
    assert answer(api_client, agent_request, "a", "itr_000000000000").status_code == 404
    assert answer(stranger_client, agent_request, "a").status_code == 404
    assert answer(api_client, agent_request, "a").status_code == 200
    again = answer(api_client, agent_request, "b")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "INTERACTION_ANSWERED")


@pytest.mark.parametrize("response", ["Approve", "yes", True, ["approve"], {"decision": "approve", "extra": 1}, ""])
def test_nothing_but_an_explicit_approval_approves(
    agent: Agent, run_once: Stepper, api_client: APIClient, response: Any
) -> None:
    agent_request = send(agent, "tools=1 tool=guarded")
    run_once(agent_request)
    assert answer(api_client, agent_request, response).status_code == 422
    assert (question(agent_request).state, tools.calls) == ("open", [])


@pytest.mark.parametrize("policy", ["agent", "everything", "workspace"])
def test_who_may_ask_for_approval(make_agent: AgentMaker, workspace: Workspace, run_once: Stepper, policy: str) -> None:
    if policy == "workspace":
        Workspace.objects.filter(pk=workspace.pk).update(tools_requiring_approval=["echo"])
    wanted = {"agent": ["echo"], "everything": ["*"], "workspace": []}[policy]
    agent_request = send(make_agent(tools=GUARDED, requires_approval=wanted), "tools=1 tool=echo")
    run_once(agent_request)
    assert agent_request.status == "paused"


@pytest.mark.tampers
@pytest.mark.parametrize(("response", "runs", "said"), [("approve", 2, "x"), ("deny", 1, "outcome is unknown")])
def test_a_call_of_a_delicate_tool_that_was_interrupted_is_asked_about(
    agent: Agent,
    run_once: Stepper,
    run_requests: Driver,
    api_client: APIClient,
    model: ModelServer,
    response: str,
    runs: int,
    said: str,
) -> None:
    agent_request = send(agent, 'tools=1 tool=delicate args={"text": "x"} say=done')
    run_requests()
    started = agent_request.events.get(event_type=EventKind.TOOL_STARTED).sequence
    agent_request.events.filter(sequence__gt=started).delete()
    agent_request.workspace.turns.all().delete()
    agent_request.workspace.sessions.all().delete()
    agent_request.workspace.agent_requests.filter(pk=agent_request.pk).update(
        status="running", finished_at=None, last_sequence=started, lease_expires_at=agent_request.accepted_at
    )
    run_once(agent_request)
    assert (agent_request.status, len(tools.calls)) == ("paused", 1)
    assert "interrupted" in question(agent_request).prompt
    answer(api_client, agent_request, response)
    run_requests()
    agent_request.refresh_from_db()
    assert (agent_request.status, len(tools.calls)) == ("completed", runs)
    assert said in told(model)


@pytest.mark.parametrize("arguments", ["{}", '{"question": ""}', '{"question": "Which?", "options": [1]}'])
def test_a_question_that_asks_nothing_goes_back_to_the_model(
    agent: Agent, run_requests: Driver, model: ModelServer, arguments: str
) -> None:
    agent_request = send(agent, f"tools=1 tool=AskUser args={arguments} say=done")
    run_requests()
    agent_request.refresh_from_db()
    assert (agent_request.status, agent_request.interactions.count()) == ("completed", 0)
    assert "Invalid arguments" in told(model)


def test_an_agent_without_the_tool_asks_nobody(make_agent: AgentMaker, run_requests: Driver) -> None:
    agent_request = send(make_agent(tools=("echo",)), 'tools=1 tool=AskUser args={"question": "Which?"}')
    run_requests()
    agent_request.refresh_from_db()
    assert (agent_request.status, agent_request.interactions.count()) == ("completed", 0)


def test_a_stream_shows_the_question_and_its_answer(
    agent: Agent, run_once: Stepper, run_requests: Driver, web: Web, api_client: APIClient
) -> None:
    agent_request = send(agent, "tools=1 tool=guarded say=done")
    run_once(agent_request)
    answer(api_client, agent_request, "approve")
    run_requests()
    path = f"/api/v1/agent/{agent.agent_id}/request/{agent_request.request_id}/events"
    frames = web.get(path).frames()
    names = [frame.event for frame in frames if frame.event != "agent.trace"]
    assert names == [
        "request.accepted",
        "request.started",
        "request.interaction.create",
        "request.paused",
        "request.interaction.ack",
        "request.completed",
    ]
    paused = next(frame.data for frame in frames if frame.event == "request.paused")
    assert (paused["reason"], len(paused["interaction_ids"])) == ("interaction", 1)
