"""H2A: one agent as a server of its own (contract 2.5, 2.6), asked by its client and by hand."""

import asyncio
import threading
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from agents.models import Agent
from runtime.client import AgentClient, AgentClientError
from runtime.models import AgentRequest
from tests.conftest import Driver
from tests.factories import AgentFactory, AgentRequestFactory, MembershipFactory, UserFactory
from tests.live_web import LiveWeb
from tests.web import Web
from workspaces.models import Workspace


def client_of(live: LiveWeb, agent_id: str, token: str, *, served: str = "") -> AgentClient:
    headers = {"Authorization": f"Bearer {token}"}
    return AgentClient(f"{live.url}/h2a/{served or agent_id}/?x=1", agent_id, default_headers=headers)


def test_the_client_talks_to_an_agent(live: LiveWeb, agent: Agent, token: str, run_requests: Driver) -> None:
    async def talk() -> list[dict[str, Any]]:
        async with client_of(live, agent.agent_id, token) as client:
            health = await client.health()
            assert (health["status"], health["agent_id"], health["app_id"]) == ("ok", agent.agent_id, agent.agent_id)
            assert health["session"]["max_steps"] == agent.definition.max_steps
            request_id = await client.post_request("  say=hello ", session_id=" s ")
            worker = threading.Thread(target=run_requests)
            worker.start()
            events = [event async for event in client.stream_response(request_id, timeout=30)]
            await asyncio.to_thread(worker.join)
            return events

    events = asyncio.run(talk())
    assert [event["event"] for event in events if event["event"] != "agent.trace"] == [
        "request.accepted",
        "request.started",
        "request.completed",
    ]
    assert events[-1]["data"]["response"]["text"] == "hello"
    assert events[-1]["data"]["session_id"] == "s"
    assert agent.workspace.agent_requests.get().message == "  say=hello "


def test_the_client_tells_refusals_and_absence(live: LiveWeb, agent: Agent, token: str) -> None:
    async def ask(client: AgentClient, call: str) -> None:
        async with client:
            if call == "stream":
                async for _ in client.stream_response(str(uuid4())):
                    raise AssertionError("There is no such stream.")
            await (client.health() if call == "health" else client.post_request("hi", "s"))

    def failure(client: AgentClient, call: str) -> tuple[int | None, str]:
        with pytest.raises(AgentClientError) as caught:
            asyncio.run(ask(client, call))
        return caught.value.status, caught.value.code

    for call in ("health", "post", "stream"):
        strange = client_of(live, agent.agent_id, "wrong")
        assert failure(strange, call) == (401, "UNAUTHORIZED")
        assert failure(client_of(live, "nobody", token), call) == (404, "ROUTE_NOT_FOUND")
        assert failure(AgentClient("http://127.0.0.1:9", "nobody"), call) == (None, "")
    for call in ("post", "stream"):
        other = client_of(live, "another", token, served=agent.agent_id)
        assert failure(other, call) == (404, "ROUTE_NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "INVALID_JSON"),
        (b"\xff", 400, "INVALID_JSON"),
        ([], 400, "INVALID_REQUEST"),
        ({"message": "hi"}, 400, "INVALID_REQUEST"),
        ({"message": "  ", "session_id": "s"}, 400, "INVALID_REQUEST"),
        ({"message": "hi", "session_id": " "}, 400, "INVALID_REQUEST"),
        ({"message": 7, "session_id": "s"}, 400, "INVALID_REQUEST"),
        ({"message": "hi", "session_id": "s", "temperature": 2}, 400, "INVALID_REQUEST"),
        ({"message": " " * 300_000 + "hi", "session_id": "s"}, 413, "PAYLOAD_TOO_LARGE"),
    ],
)
def test_odd_bodies_are_refused_without_details(web: Web, agent: Agent, body: Any, status: int, code: str) -> None:
    answer = web.post(f"/h2a/{agent.agent_id}/agent/{agent.agent_id}/request", body)
    assert (answer.status, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"code", "message"}


def test_an_accepted_message_is_told_without_an_envelope(web: Web, agent: Agent) -> None:
    answer = web.post(f"/h2a/{agent.agent_id}/agent/{agent.agent_id}/request", {"message": "hi", "session_id": "s"})
    row = agent.workspace.agent_requests.get()
    told = {"request_id": str(row.request_id), "agent_id": agent.agent_id, "session_id": "s", "status": "accepted"}
    assert (answer.status, answer.json()) == (202, told)


def test_requests_and_routes_that_are_not_there(web: Web, workspace: Workspace, agent: Agent) -> None:
    other = AgentFactory.create(workspace=workspace)
    elsewhere = AgentRequestFactory.create(workspace=workspace, agent=other)
    base = f"/h2a/{agent.agent_id}"
    expected = {
        f"{base}/agent/{agent.agent_id}/request/{elsewhere.request_id}": "REQUEST_NOT_FOUND",
        f"{base}/agent/{agent.agent_id}/request/nonsense": "REQUEST_NOT_FOUND",
        f"{base}/agent/{agent.agent_id}/request/%20": "ROUTE_NOT_FOUND",
        f"{base}/agent/{agent.agent_id}/request/": "ROUTE_NOT_FOUND",
        f"{base}/agent/{other.agent_id}/request/{elsewhere.request_id}": "ROUTE_NOT_FOUND",
        f"{base}/nothing": "ROUTE_NOT_FOUND",
        "/h2a/nobody/health": "ROUTE_NOT_FOUND",
    }
    for path, code in expected.items():
        answer = web.get(path)
        assert (answer.status, set(answer.json()["error"])) == (404, {"code", "message"}), path
        assert answer.json()["error"]["code"] == code, path


def test_the_stream_is_the_contracts(web: Web, agent: Agent, run_requests: Driver) -> None:
    path = f"/h2a/{agent.agent_id}/agent/{agent.agent_id}/request"
    request_id = web.post(path, {"message": "say=hello", "session_id": "s"}).json()["request_id"]
    [row] = run_requests()
    answer = web.get(f"{path}/{request_id}")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.frames() == web.get(f"/api/v1/agent/{agent.agent_id}/request/{request_id}/events").frames()
    assert web.get(f"{path}/{request_id}", headers={"Last-Event-ID": str(row.last_sequence)}).status == 204


def test_cookies_open_nothing_here(web: Web, workspace: Workspace, agent: Agent, client: Client) -> None:
    """Answers are for every origin, so what a browser sends by itself must not count."""
    member = MembershipFactory.create(workspace=workspace, user=UserFactory.create(), role="owner")
    client.force_login(member.user)
    cookies = [f"sessionid={client.cookies['sessionid'].value}", f"mash_api_key={web.token}"]
    row: AgentRequest = AgentRequestFactory.create(workspace=workspace, agent=agent)
    for path in ("health", f"agent/{agent.agent_id}/request/{row.request_id}"):
        for cookie in cookies:
            headers = {"Cookie": cookie, "Mash-Workspace": workspace.slug}
            answer = Web().get(f"/h2a/{agent.agent_id}/{path}", headers=headers)
            assert (answer.status, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
