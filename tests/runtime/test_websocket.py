"""The WebSocket: the same door, verbs, events and limits as over HTTP (extensions 2)."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client

from agents.models import Agent
from mashsite.asgi import application, socket_patterns
from runtime.cancel import cancel_request
from runtime.models import AgentRequest
from runtime.socket.consumer import MAX_SUBSCRIPTIONS
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory, UserFactory
from tests.web import Web
from workspaces.bootstrap import add_member
from workspaces.models import ApiToken, Workspace
from workspaces.roles import Role
from workspaces.tokens import issue_token

Conversation = Callable[["Socket"], Awaitable[None]]
_ENDS = {"request.completed", "request.error", "request.cancelled"}


class Socket(WebsocketCommunicator):
    """One client, in the test's own event loop."""

    async def ask(self, **frame: Any) -> dict[str, Any]:
        await self.send_to(text_data=json.dumps(frame))
        return await self.next()

    async def next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.receive_from(timeout=10))
        return message

    async def to_the_end(self) -> list[dict[str, Any]]:
        events = [await self.next()]
        while events[-1]["event"] not in _ENDS:
            events.append(await self.next())
        return events


def talk(conversation: Conversation, token: str = "", path: str = "/ws/v1/", **headers: str) -> None:
    """Opens a socket, which must be accepted, holds the conversation, and leaves."""

    async def run() -> None:
        socket = _socket(token, path, headers)
        is_open, _ = await socket.connect(timeout=10)
        assert is_open
        await conversation(socket)
        await socket.disconnect(timeout=10)

    asyncio.run(run())


def is_accepted(token: str = "", path: str = "/ws/v1/", **headers: str) -> bool:
    async def run() -> bool:
        socket = _socket(token, path, headers)
        is_open, _ = await socket.connect(timeout=10)
        await socket.disconnect(timeout=10)
        return bool(is_open)

    return asyncio.run(run())


def _socket(token: str, path: str, headers: dict[str, str]) -> Socket:
    sent = {**({"authorization": f"Bearer {token}"} if token else {}), "host": "testserver", **headers}
    return Socket(application, path, headers=[(name.encode(), value.encode()) for name, value in sent.items()])


@pytest.fixture
def finished(agent: Agent, run_requests: Driver) -> AgentRequest:
    AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message="tools=1 tool=echo say=hello")
    return run_requests()[0]


def test_there_is_one_socket(db: None) -> None:
    assert [str(route.pattern) for route in socket_patterns] == ["ws/v1/"]
    assert not is_accepted("anything", "/ws/v2/")


def test_a_request_is_submitted_followed_and_told_like_over_http(
    agent: Agent, token: str, run_requests: Driver, web: Web
) -> None:
    async def conversation(socket: Socket) -> None:
        told = await socket.ask(
            op="submit", ref="a", agent_id=agent.agent_id, message="tools=1 tool=echo say=hello", session_id="s"
        )
        assert (told["event"], told["ref"], told["data"]["status"]) == ("submitted", "a", "accepted")
        request_id = told["data"]["request_id"]
        assert (await socket.ask(op="subscribe", request_id=request_id))["event"] == "subscribed"
        await asyncio.to_thread(run_requests)
        events = [event for event in await socket.to_the_end() if event["id"] is not None]
        path = f"/api/v1/agent/{agent.agent_id}/request/{request_id}/events"
        frames = await asyncio.to_thread(_frames, web, path)
        assert [(event["event"], event["id"], event["data"]) for event in events] == frames

    talk(conversation, token)


def _frames(web: Web, path: str) -> list[tuple[str, int | None, dict[str, Any]]]:
    async def read() -> list[tuple[str, int | None, dict[str, Any]]]:
        async with web.open("GET", path, headers={"Mash-Events": "2"}) as answer:
            while not answer.has_ended:
                answer.changed.clear()
                await answer.changed.wait()
        return [(frame.event, frame.id, frame.data) for frame in answer.frames()]

    return asyncio.run(read())


def test_a_cursor_leaves_out_what_was_seen(finished: AgentRequest, token: str) -> None:
    head = finished.last_sequence

    async def conversation(socket: Socket) -> None:
        await socket.ask(op="subscribe", request_id=str(finished.request_id), after_seq=head - 2)
        assert [event["id"] for event in await socket.to_the_end()] == [head - 1, head]
        await socket.ask(op="subscribe", request_id=str(finished.request_id), after_seq=head)
        assert await socket.receive_nothing(timeout=0.3)
        ahead = await socket.ask(op="subscribe", request_id=str(finished.request_id), after_seq=head + 1, ref="x")
        assert (ahead["event"], ahead["data"]["code"], ahead["ref"]) == ("error", "CURSOR_AHEAD", "x")

    talk(conversation, token)


def test_a_cancel_and_an_answer_do_what_they_do_over_http(
    make_agent: AgentMaker, token: str, run_requests: Driver, workspace: Workspace
) -> None:
    agent = make_agent(tools=("guarded",))
    asking, queued = (
        AgentRequestFactory.create(workspace=workspace, agent=agent, message="tools=1 tool=guarded") for _ in range(2)
    )
    cancel_request(queued, reason="cancelled", by="tests")
    run_requests()
    interaction = asking.interactions.get()

    async def conversation(socket: Socket) -> None:
        about = {"request_id": str(asking.request_id), "interaction_id": interaction.interaction_id}
        refused = await socket.ask(op="answer", **about, response="maybe")
        assert refused["data"]["code"] == "ILLEGAL_ANSWER"
        assert (await socket.ask(op="answer", **about, response="deny"))["data"]["ok"] is True
        assert (await socket.ask(op="cancel", request_id=str(asking.request_id)))["event"] == "cancelling"

    talk(conversation, token)
    asking.refresh_from_db()
    assert asking.status == "cancelled"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", "VALIDATION_ERROR"),
        ("[]", "VALIDATION_ERROR"),
        ('{"op": "dance"}', "VALIDATION_ERROR"),
        ('{"op": "subscribe"}', "VALIDATION_ERROR"),
        ('{"op": "subscribe", "request_id": "00000000-0000-4000-8000-000000000000"}', "REQUEST_NOT_FOUND"),
        ('{"op": "submit", "agent_id": "nobody", "message": "hi", "session_id": "s"}', "AGENT_NOT_FOUND"),
        ('{"op": "submit", "agent_id": "nobody", "message": "hi", "session_id": "s", "x": 1}', "VALIDATION_ERROR"),
        ('{"op": "ping", "ref": 7}', "VALIDATION_ERROR"),
    ],
)
def test_bad_frames_are_answered_and_the_socket_stays(
    transactional_db: None, token: str, frame: str, code: str
) -> None:
    async def conversation(socket: Socket) -> None:
        await socket.send_to(text_data=frame)
        error = await socket.next()
        assert (error["event"], error["data"]["code"]) == ("error", code)
        assert (await socket.ask(op="ping", ref="p")) == {"event": "pong", "id": None, "data": {}, "ref": "p"}

    talk(conversation, token)


def test_strangers_find_nothing(finished: AgentRequest, agent: Agent, stranger_token: str) -> None:
    async def conversation(socket: Socket) -> None:
        request_id = str(finished.request_id)
        for frame in (
            {"op": "subscribe", "request_id": request_id},
            {"op": "cancel", "request_id": request_id},
            {"op": "answer", "request_id": request_id, "interaction_id": "itr_0123456789ab", "response": "deny"},
        ):
            assert (await socket.ask(**frame))["data"]["code"] == "REQUEST_NOT_FOUND"
        submitted = await socket.ask(op="submit", agent_id=agent.agent_id, message="hi", session_id="s")
        assert submitted["data"]["code"] == "AGENT_NOT_FOUND"

    talk(conversation, stranger_token)


def test_a_token_may_do_what_its_scopes_say(transactional_db: None, workspace: Workspace) -> None:
    powerless = issue_token(workspace, name="powerless", actor="tests", scopes=[])[1]

    async def conversation(socket: Socket) -> None:
        request_id = "00000000-0000-4000-8000-000000000000"
        for operation in ("subscribe", "cancel", "submit", "answer"):
            assert (await socket.ask(op=operation, request_id=request_id))["data"]["code"] == "FORBIDDEN"

    talk(conversation, powerless)


def test_who_may_open_it(transactional_db: None, token: str, workspace: Workspace) -> None:
    assert is_accepted(token)
    assert not is_accepted()
    assert not is_accepted("wrong")
    assert not is_accepted(path=f"/ws/v1/?token={token}"), "Never a token in a URL."
    assert not is_accepted(token, origin="https://elsewhere.example")
    user = UserFactory.create()
    add_member(workspace, user, role=Role.OPERATOR, actor="tests")
    client = Client()
    client.force_login(user)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    here = f"/ws/v1/?workspace={workspace.slug}"
    assert is_accepted(path=here, cookie=cookie, origin="http://testserver")
    assert not is_accepted(path=here, cookie=cookie), "A cookie without an origin is no browser's."
    assert not is_accepted(path=here, cookie=cookie, origin="https://elsewhere.example")
    assert not is_accepted(path="/ws/v1/?workspace=another", cookie=cookie, origin="http://testserver")


def test_a_revoked_token_is_shown_out(transactional_db: None, workspace: Workspace, token: str) -> None:
    async def conversation(socket: Socket) -> None:
        await asyncio.to_thread(lambda: ApiToken.rows.filter(workspace=workspace).delete())
        error = await socket.ask(op="cancel", request_id="00000000-0000-4000-8000-000000000000")
        assert error["data"]["code"] == "UNAUTHORIZED"
        assert (await socket.receive_output(timeout=10))["code"] == 4401

    talk(conversation, token)


def test_one_socket_follows_so_many_and_no_more(agent: Agent, token: str, transactional_db: None) -> None:
    rows = [AgentRequestFactory.create(workspace=agent.workspace, agent=agent) for _ in range(MAX_SUBSCRIPTIONS + 1)]

    async def conversation(socket: Socket) -> None:
        for row in rows[:-1]:
            await socket.send_to(text_data=json.dumps({"op": "subscribe", "request_id": str(row.request_id)}))
        events = [(await socket.next())["event"] for _ in range(2 * MAX_SUBSCRIPTIONS)]
        assert events.count("subscribed") == MAX_SUBSCRIPTIONS
        refused = await socket.ask(op="subscribe", request_id=str(rows[-1].request_id))
        assert refused["data"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
        await socket.ask(op="unsubscribe", request_id=str(rows[0].request_id))
        assert (await socket.ask(op="subscribe", request_id=str(rows[-1].request_id)))["event"] == "subscribed"

    talk(conversation, token)
