"""Who may open a WebSocket, and who may keep it."""

import time
from collections.abc import Mapping

import pytest
from django.test import Client
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agents.models import Agent
from mashsite.asgi import socket_patterns
from tests.factories import AgentRequestFactory, MembershipFactory
from tests.live_web import LiveWeb
from tests.sockets import socket
from workspaces.models import Membership, Workspace


def refused(live: LiveWeb, token: str = "", *, query: str = "", headers: Mapping[str, str] | None = None) -> int:
    with pytest.raises(InvalidStatus) as error, socket(live, token, query=query, headers=headers or {}):
        pass
    return int(error.value.response.status_code)


@pytest.fixture
def member(workspace: Workspace) -> Membership:
    return MembershipFactory.create(workspace=workspace, role="operator")


@pytest.fixture
def cookie(member: Membership, client: Client) -> str:
    client.force_login(member.user)
    return f"sessionid={client.cookies['sessionid'].value}"


def test_only_a_token_in_a_header_opens_it_for_a_program(live: LiveWeb, token: str) -> None:
    assert refused(live) == 401
    assert refused(live, "mash_wrong") == 401
    assert refused(live, query=f"?token={token}&api_key={token}&access_token={token}") == 401
    assert refused(live, headers={"Cookie": f"mash_api_key={token}", "Origin": live.url}) == 401
    for headers in ({"X-API-Key": token}, {"Authorization": f"Token {token}"}):
        with socket(live, headers=headers) as connection:
            assert connection.ask("ping")["event"] == "pong"


def test_there_is_no_other_address(live: LiveWeb, token: str) -> None:
    assert [str(route.pattern) for route in socket_patterns] == ["ws/v1/"]
    assert refused(live, token, query="other") == 404


def test_a_browser_comes_with_its_session_from_our_own_pages(
    live: LiveWeb, cookie: str, workspace: Workspace, other_workspace: Workspace, agent: Agent
) -> None:
    from_here = {"Cookie": cookie, "Origin": live.url}
    query = f"?workspace={workspace.slug}"
    with socket(live, query=query, headers=from_here) as connection:
        sent = connection.ask("submit", agent_id=agent.agent_id, message="hi", session_id="s")
        assert sent["data"]["status"] == "accepted"
    assert refused(live, query=query, headers={"Cookie": cookie, "Origin": "https://evil.example"}) == 403
    assert refused(live, query=query, headers={"Cookie": cookie, "Origin": "null"}) in {400, 403}
    assert refused(live, query=query, headers={"Cookie": cookie}) == 403
    assert refused(live, headers=from_here) == 400
    assert refused(live, query=f"?workspace={other_workspace.slug}", headers=from_here) == 404


def test_who_is_shown_out_cannot_say_another_word(live: LiveWeb, token: str, workspace: Workspace) -> None:
    with socket(live, token) as connection:
        assert connection.ask("ping")["event"] == "pong"
        workspace.tokens.update(revoked_at=timezone.now())
        answer = connection.ask("submit", agent_id="any", message="hi", session_id="s")
        assert answer["data"]["code"] == "UNAUTHORIZED"
        with pytest.raises(ConnectionClosed) as closed:
            connection.receive()
    assert closed.value.rcvd.code == 4401


def test_a_member_who_leaves_loses_the_connection(
    live: LiveWeb, cookie: str, member: Membership, workspace: Workspace, agent: Agent
) -> None:
    row = AgentRequestFactory.create(workspace=workspace, agent=agent)
    headers = {"Cookie": cookie, "Origin": live.url}
    with socket(live, query=f"?workspace={workspace.slug}", headers=headers) as connection:
        connection.send("subscribe", request_id=str(row.request_id))
        assert [connection.receive()["event"] for _ in range(2)] == ["subscribed", "request.accepted"]
        member.delete()
        began = time.monotonic()
        assert connection.receive(20)["data"]["code"] == "UNAUTHORIZED"
        with pytest.raises(ConnectionClosed) as closed:
            connection.receive()
    assert closed.value.rcvd.code == 4401
    assert time.monotonic() - began < 15
