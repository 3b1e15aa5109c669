"""Two workspaces that look alike: whoever lists or streams sees one side only (promise 6)."""

import pytest
from rest_framework.test import APIClient

from agents.models import Agent
from runtime.models import AgentRequest
from tests.factories import AgentFactory, AgentRequestFactory, SessionFactory, TurnFactory
from tests.web import Web
from workspaces.models import Workspace

LISTS = [
    "health",
    "agent",
    "agent/twin",
    "agent/twin/requests",
    "agent/twin/sessions",
    "agent/twin/sessions/talk",
    "agent/twin/sessions/talk/history",
]


def furnish(workspace: Workspace, mark: str) -> AgentRequest:
    """An agent, a session, a turn and a request, all with the same names; only `mark` tells the sides apart."""
    agent = AgentFactory.create(
        workspace=workspace, agent_id="twin", role=Agent.Role.SUBAGENT, definition={"description": mark, "model": mark}
    )
    session = SessionFactory.create(workspace=workspace, agent_id="twin", session_id="talk")
    TurnFactory.create(workspace=workspace, session=session, user_message=mark)
    return AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="talk", message=mark, user=mark)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_shows_one_side(
    api_client: APIClient, workspace: Workspace, other_workspace: Workspace, path: str
) -> None:
    mine, theirs = furnish(workspace, "ours-mark"), furnish(other_workspace, "theirs-mark")
    text = api_client.get(f"/api/v1/{path}").content.decode()
    assert "theirs-mark" not in text
    assert str(theirs.request_id) not in text
    if path == "agent/twin/sessions":
        assert text.count('"session_id"') == 1
    else:
        assert "ours-mark" in text or str(mine.request_id) in text


def test_a_sessions_stream_carries_one_side(web: Web, workspace: Workspace, other_workspace: Workspace) -> None:
    requests = [furnish(side, mark) for side, mark in [(other_workspace, "theirs"), (workspace, "ours")]]
    AgentRequestFactory.create(workspace=other_workspace, agent=requests[0].agent, session_id="talk")
    last = AgentRequestFactory.create(workspace=workspace, agent=requests[1].agent, session_id="talk")
    frames = web.first_frames("/api/v1/agent/twin/sessions/talk/events", 2)
    assert [frame.data["request_id"] for frame in frames] == [str(requests[1].request_id), str(last.request_id)]


def test_anothers_request_does_not_stream_under_the_same_agent_id(
    web: Web, stranger_web: Web, workspace: Workspace, other_workspace: Workspace
) -> None:
    furnish(workspace, "ours")
    theirs = furnish(other_workspace, "theirs")
    path = f"/api/v1/agent/twin/request/{theirs.request_id}/events"
    assert (web.get(path).status, web.get(path).json()["error"]["code"]) == (404, "REQUEST_NOT_FOUND")
    assert stranger_web.first_frames(path, 1)[0].event == "request.accepted"
