"""The plain surface of one agent (contract 2.5, 2.6), spoken with its client and by hand."""

import asyncio
from typing import Any

import httpx
import pytest
from rest_framework.test import APIClient

from agents.models import Agent
from mashsite.asgi import application
from runtime.client.agent_client import AgentClient, AgentClientError
from tests.conftest import Driver
from tests.web import Web
from workspaces.tokens import issue_token


@pytest.fixture
def base(agent: Agent) -> str:
    return f"/h2a/{agent.agent_id}"


def client_of(agent_id: str, token: str) -> AgentClient:
    return AgentClient(
        f"http://testserver/h2a/{agent_id}/?x=1",
        agent_id,
        {"Authorization": f"Bearer {token}"},
        transport=httpx.ASGITransport(application),
    )


def test_a_turn_through_its_client(agent: Agent, token: str, run_requests: Driver) -> None:
    async def turn() -> list[dict[str, Any]]:
        client = client_of(agent.agent_id, token)
        assert client.base_url == f"http://testserver/h2a/{agent.agent_id}"
        health = await client.health()
        assert (health["status"], health["app_id"]) == ("ok", agent.agent_id)
        assert health["session"]["max_steps"] == 30
        request_id = await client.post_request("say=hello", "  s ")
        await asyncio.to_thread(run_requests)
        events = [event async for event in client.stream_response(request_id)]
        with pytest.raises(AgentClientError, match="404"):
            await client.stream_response("00000000-0000-4000-8000-000000000000").__anext__()
        await client.close()
        return events

    events = asyncio.run(turn())
    assert [events[0]["event"], events[-1]["event"]] == ["request.accepted", "request.completed"]
    assert events[-1]["data"]["session_id"] == "s"
    assert events[-1]["data"]["response"]["text"] == "hello"


def test_a_submission_is_answered_202_with_the_accepted_payload(
    agent: Agent, base: str, api_client: APIClient, transactional_db: None
) -> None:
    body = {"message": " say=hello ", "session_id": " s "}
    answer = api_client.post(f"{base}/agent/{agent.agent_id}/request", body, format="json")
    assert answer.status_code == 202
    accepted = answer.json()
    assert accepted | {"request_id": ""} == {
        "request_id": "",
        "agent_id": agent.agent_id,
        "session_id": "s",
        "status": "accepted",
    }
    assert agent.requests.get().message == " say=hello "


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "INVALID_JSON"),
        (b"[]", "INVALID_REQUEST"),
        (b'{"message": "hi"}', "INVALID_REQUEST"),
        (b'{"message": " ", "session_id": "s"}', "INVALID_REQUEST"),
        (b'{"message": 7, "session_id": "s"}', "INVALID_REQUEST"),
    ],
)
def test_faults_have_a_code_and_no_details(agent: Agent, base: str, web: Web, body: bytes, code: str) -> None:
    answer = web.post(f"{base}/agent/{agent.agent_id}/request", body)
    assert (answer.status, answer.json()["error"]["code"]) == (400, code)
    assert set(answer.json()["error"]) == {"code", "message"}


def test_a_message_has_the_same_limit_as_everywhere(agent: Agent, base: str, web: Web) -> None:
    body = {"message": "x" * (256 * 1024 + 1), "session_id": "s"}
    answer = web.post(f"{base}/agent/{agent.agent_id}/request", body)
    assert (answer.status, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_another_agents_path_is_no_route_of_this_one(agent: Agent, base: str, web: Web) -> None:
    body = {"message": "hi", "session_id": "s"}
    request_id = "00000000-0000-4000-8000-000000000000"
    for answer in (
        web.post(f"{base}/agent/another/request", body),
        web.get(f"{base}/agent/another/request/{request_id}"),
        web.get("/h2a/nobody/health"),
    ):
        assert (answer.status, answer.json()["error"]["code"]) == (404, "ROUTE_NOT_FOUND")
    for unknown in (request_id, "no-id"):
        answer = web.get(f"{base}/agent/{agent.agent_id}/request/{unknown}")
        assert (answer.status, answer.json()["error"]["code"]) == (404, "REQUEST_NOT_FOUND")


def test_only_a_header_token_opens_it(agent: Agent, base: str, token: str, stranger_web: Web) -> None:
    cookie = {"Cookie": f"mash_api_key={token}"}
    request_id = "00000000-0000-4000-8000-000000000000"
    paths = [f"{base}/health", f"{base}/agent/{agent.agent_id}/request/{request_id}"]
    for path in paths:
        assert Web().get(path).status == 401
        assert Web().get(path, headers=cookie).status == 401
        # Browsers send this by themselves too, once somebody has signed in to something on the host.
        assert Web().get(path, headers={**cookie, "Authorization": "Basic eDp5"}).status == 401
        assert stranger_web.get(path).json()["error"]["code"] == "ROUTE_NOT_FOUND"
    powerless = Web(issue_token(agent.workspace, name="powerless", actor="tests", scopes=[])[1])
    assert [powerless.get(path).status for path in paths] == [403, 403]
    assert powerless.post(f"{base}/agent/{agent.agent_id}/request", {"message": "hi", "session_id": "s"}).status == 403
