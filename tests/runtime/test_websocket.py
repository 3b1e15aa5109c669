"""`/ws/v1/` through a real client and a real server: the same content, limits and refusals as HTTP (extensions 2)."""

import json
import threading
import uuid
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from agents.models import Agent
from runtime.models import AgentRequest
from runtime.socket.commands import COMMANDS
from runtime.socket.consumer import MAX_SUBSCRIPTIONS
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from tests.live_web import LiveWeb
from tests.sockets import Socket, socket
from tests.web import Web
from workspaces.models import Workspace
from workspaces.tokens import issue_token


@pytest.fixture
def ended(workspace: Workspace, agent: Agent, run_requests: Driver) -> AgentRequest:
    AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", message="tools=1 tool=echo say=héllo")
    return run_requests()[0]


def test_a_subscription_delivers_what_the_stream_delivers(live: LiveWeb, web: Web, ended: AgentRequest) -> None:
    path = f"/api/v1/agent/{ended.agent.agent_id}/request/{ended.request_id}/events"
    with socket(live, web.token) as connection:
        for cursor in (0, 5):
            connection.send("subscribe", request_id=str(ended.request_id), after_seq=cursor, ref="r")
            first, *frames, end = connection.until_end()
            about = {"request_id": str(ended.request_id)}
            assert first == {"event": "subscribed", "id": None, "data": about, "ref": "r"}
            streamed = web.get(f"{path}?after_seq={cursor}&events=2").frames()
            assert frames == [{"event": frame.event, "data": frame.data, "id": frame.id} for frame in streamed]
            assert end == {"event": "ended", "id": None, "data": about}


def test_a_cursor_at_the_end_has_nothing_to_wait_for_and_one_beyond_is_refused(
    live: LiveWeb, token: str, ended: AgentRequest
) -> None:
    with socket(live, token) as connection:
        connection.send("subscribe", request_id=str(ended.request_id), after_seq=ended.last_sequence)
        assert [frame["event"] for frame in connection.until_end()] == ["subscribed", "ended"]
        ahead = connection.ask("subscribe", request_id=str(ended.request_id), after_seq=ended.last_sequence + 1)
        assert (ahead["event"], ahead["data"]["code"]) == ("error", "CURSOR_AHEAD")
        assert ahead["data"]["details"] == {"head": ended.last_sequence}


def test_a_message_is_sent_and_followed_with_its_text_while_it_is_said(
    live: LiveWeb, token: str, make_agent: AgentMaker, run_requests: Driver
) -> None:
    agent = make_agent(model_timeout_s=20)
    words = 'trickle=0.02 say="' + " ".join(f"word{number}" for number in range(40)) + '"'
    with socket(live, token) as connection:
        sent = {"agent_id": agent.agent_id, "message": words, "session_id": "s", "idempotency_key": "once"}
        accepted = connection.ask("submit", ref="1", **sent)
        assert (accepted["event"], accepted["ref"], accepted["data"]["status"]) == ("submitted", "1", "accepted")
        again = connection.ask("submit", **sent)
        assert (again["data"]["request_id"], again["data"]["is_replay"]) == (accepted["data"]["request_id"], True)
        connection.send("subscribe", request_id=accepted["data"]["request_id"])
        worker = threading.Thread(target=run_requests)
        worker.start()
        _, *frames, _ = connection.until_end()
        worker.join()
    kept = [frame for frame in frames if frame["id"] is not None]
    assert [frame["id"] for frame in kept] == list(range(1, len(kept) + 1))
    assert kept[-1]["event"] == "request.completed"
    told = [frame["data"] for frame in frames if frame["id"] is None]
    assert {data["event_type"] for data in told} == {"llm.response.delta"}
    assert "".join(data["payload"]["text"] for data in told) == kept[-1]["data"]["response"]["text"]


def test_a_request_is_cancelled(live: LiveWeb, token: str, workspace: Workspace, agent: Agent) -> None:
    row = AgentRequestFactory.create(workspace=workspace, agent=agent)
    with socket(live, token) as connection:
        connection.send("subscribe", request_id=str(row.request_id))
        assert [connection.receive()["event"] for _ in range(2)] == ["subscribed", "request.accepted"]
        connection.send("cancel", request_id=str(row.request_id), ref="c")
        frames = {frame["event"]: frame for frame in (connection.receive() for _ in range(3))}
    assert set(frames) == {"cancelling", "request.cancelled", "ended"}
    assert frames["cancelling"]["ref"] == "c"
    assert frames["request.cancelled"]["data"]["by"] == f"token:{token_prefix(workspace)}"


def token_prefix(workspace: Workspace) -> str:
    return workspace.tokens.get().prefix


def test_a_question_is_answered(live: LiveWeb, token: str, make_agent: AgentMaker, run_requests: Driver) -> None:
    agent = make_agent(requires_approval=("echo",))
    row = AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message="tools=1 tool=echo say=done")
    run_requests()
    interaction = row.interactions.get()
    named = {"request_id": str(row.request_id), "interaction_id": interaction.interaction_id}
    with socket(live, token) as connection:
        assert connection.ask("answer", **named, response="perhaps")["data"]["code"] == "ILLEGAL_ANSWER"
        answered = connection.ask("answer", **named, response="approve")
        assert answered["data"] == {"ok": True, "interaction_id": interaction.interaction_id}
        assert connection.ask("answer", **named, response="approve")["data"]["code"] == "INTERACTION_ANSWERED"
    run_requests()
    row.refresh_from_db()
    assert row.status == "completed"


def test_many_requests_share_a_connection_and_each_may_be_left(
    live: LiveWeb, token: str, workspace: Workspace, agent: Agent
) -> None:
    rows = [AgentRequestFactory.create(workspace=workspace, agent=agent) for _ in range(3)]
    keys = [str(row.request_id) for row in rows]
    with socket(live, token) as connection:
        for key in keys:
            connection.send("subscribe", request_id=key)
        frames = [connection.receive() for _ in range(6)]
        assert {frame["data"]["request_id"] for frame in frames if frame["event"] == "request.accepted"} == set(keys)
        assert connection.ask("unsubscribe", request_id=keys[0])["event"] == "unsubscribed"
        for key in keys[:2]:
            again = [connection.ask("subscribe", request_id=key), connection.receive()]
            assert [frame["event"] for frame in again] == ["subscribed", "request.accepted"]
        for _ in range(MAX_SUBSCRIPTIONS - len(keys)):
            extra = AgentRequestFactory.create(workspace=workspace, agent=agent)
            connection.ask("subscribe", request_id=str(extra.request_id), after_seq=1)
        full = connection.ask("subscribe", request_id=str(uuid.uuid4()))
        assert (full["data"]["code"], full["data"]["details"]) == (
            "TOO_MANY_SUBSCRIPTIONS",
            {"limit": MAX_SUBSCRIPTIONS},
        )


@pytest.mark.parametrize(
    ("frame", "place"),
    [
        ("nonsense", ["frame"]),
        ("[]", ["frame"]),
        ('{"op": "destroy"}', ["frame", "op"]),
        ("{}", ["frame", "op"]),
        ('{"op": "ping", "loud": true}', ["frame", "loud"]),
        ('{"op": "ping", "ref": 7}', ["frame", "ref"]),
        ('{"op": "subscribe"}', ["frame", "request_id"]),
        ('{"op": "subscribe", "request_id": "7"}', ["frame", "request_id"]),
        (
            '{"op": "subscribe", "request_id": "00000000-0000-4000-8000-000000000000", "after_seq": -1}',
            ["frame", "after_seq"],
        ),
        ('{"op": "submit", "agent_id": "a", "session_id": "s"}', ["frame", "message"]),
        (b"\x00", ["frame"]),
    ],
)
def test_an_odd_frame_is_refused_and_the_connection_goes_on(
    live: LiveWeb, token: str, frame: str | bytes, place: list[Any]
) -> None:
    with socket(live, token) as connection:
        connection.connection.send(frame)
        refused = connection.receive()
        assert (refused["event"], refused["data"]["code"]) == ("error", "VALIDATION_ERROR")
        assert refused["data"]["details"]["errors"][0]["loc"] == place
        assert connection.ask("ping", ref="still here")["ref"] == "still here"


def test_a_frame_that_is_too_large_ends_the_connection(live: LiveWeb, token: str) -> None:
    with socket(live, token) as connection, pytest.raises(ConnectionClosed) as closed:
        connection.ask("ping", ref="x" * (1024 * 1024))
    assert closed.value.rcvd.code == 1009


def test_another_workspaces_requests_are_not_there(
    live: LiveWeb, token: str, stranger_token: str, ended: AgentRequest
) -> None:
    request_id, agent_id = str(ended.request_id), ended.agent.agent_id
    commands: list[tuple[str, dict[str, Any]]] = [
        ("subscribe", {"request_id": request_id}),
        ("cancel", {"request_id": request_id}),
        ("answer", {"request_id": request_id, "interaction_id": "itr_0123456789ab", "response": "approve"}),
        ("submit", {"agent_id": agent_id, "message": "hi", "session_id": "s"}),
    ]
    assert {op for op, _ in commands} == {"subscribe", *COMMANDS}, "There is an example of every command."
    with socket(live, stranger_token) as connection:
        for op, fields in commands:
            code = "AGENT_NOT_FOUND" if op == "submit" else "REQUEST_NOT_FOUND"
            assert connection.ask(op, **fields)["data"]["code"] == code


def test_every_command_needs_its_scope(live: LiveWeb, workspace: Workspace, ended: AgentRequest) -> None:
    powerless = issue_token(workspace, name="powerless", actor="tests", scopes=[])[1]
    named = {"request_id": str(ended.request_id)}
    with socket(live, powerless) as connection:
        refusals = [
            connection.ask("subscribe", **named),
            connection.ask("cancel", **named),
            connection.ask("answer", **named, interaction_id="itr_0123456789ab", response="approve"),
            connection.ask("submit", agent_id=ended.agent.agent_id, message="hi", session_id="s"),
        ]
    assert [refused["data"]["code"] for refused in refusals] == ["FORBIDDEN"] * 4
    scopes = [refused["data"]["details"]["scope"] for refused in refusals]
    assert scopes == ["sessions:read", "agents:run", "interactions:answer", "agents:run"]


def test_whatever_is_sent_ahead_is_answered_in_order(live: LiveWeb, token: str) -> None:
    """Far more than the server holds for one connection: it stops listening, and the client's own buffers wait."""
    with socket(live, token, max_queue=4) as connection:
        sender = threading.Thread(target=_send_pings, args=(connection, 2000))
        sender.start()
        got = [connection.receive()["ref"] for _ in range(2000)]
        sender.join()
    assert got == [str(number) for number in range(2000)]


def _send_pings(connection: Socket, count: int) -> None:
    for number in range(count):
        connection.connection.send(json.dumps({"op": "ping", "ref": str(number)}))
