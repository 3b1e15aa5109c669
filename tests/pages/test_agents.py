"""The pages of agents: all of them, and one from each side."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.definition import AgentDefinition
from agents.models import Agent
from agents.versions import save_version
from runtime import events
from runtime.events import NewEvent
from runtime.kinds import EventKind
from tests.factories import AgentFactory
from tests.pages.history import past_request
from workspaces.models import User, Workspace


@pytest.fixture
def desk(workspace: Workspace) -> Agent:
    definition = {"system_prompt": "Book <b>trips</b>.", "tools": ["calculate"], "max_steps": 12, "deadline_s": 90}
    return AgentFactory.create(workspace=workspace, agent_id="desk", definition=definition)


def page_of(client: Client, workspace: Workspace, path: str, status: int = 200) -> str:
    response = client.get(f"/w/{workspace.slug}/agents/{path}")
    assert response.status_code == status
    return response.content.decode()


def test_the_list_says_what_each_is_and_how_it_fares(
    visitor: Client, workspace: Workspace, other_workspace: Workspace, desk: Agent, django_assert_max_num_queries: Any
) -> None:
    AgentFactory.create(workspace=other_workspace, agent_id="foreign")
    AgentFactory.create(workspace=workspace, agent_id="lost", source="code", is_gone=True)
    now = timezone.now()
    past_request(desk, now - timedelta(hours=2))
    past_request(desk, now - timedelta(hours=1), error="down")
    with django_assert_max_num_queries(8):
        page = page_of(visitor, workspace, "")
    assert "foreign" not in page
    row, lost = re.findall(r"<tr data-row.*?</tr>", page, re.DOTALL)
    for told in ("/agents/desk/", "1 tool", "50.0%", "1.00 s", "$1.00", ">v1<"):
        assert told in row
    assert "gone" in lost
    assert "from code" in lost


def test_without_agents_it_says_what_one_is(visitor: Client, viewer: Client, workspace: Workspace) -> None:
    assert "There is no agent yet" in page_of(visitor, workspace, "")
    assert "Ask somebody who may define agents" in page_of(viewer, workspace, "")


def test_activity_counts_the_agents_own_requests(
    visitor: Client, workspace: Workspace, desk: Agent, django_assert_max_num_queries: Any
) -> None:
    other = AgentFactory.create(workspace=workspace)
    for agent in (desk, desk, other):
        past_request(agent, timezone.now() - timedelta(hours=1), message=f"to {agent.agent_id}")
    with django_assert_max_num_queries(10):
        page = page_of(visitor, workspace, "desk/")
    assert "0 of 2 failed" in page
    assert page.count("to desk") == 2
    assert f"to {other.agent_id}" not in page
    assert "requests/?range=7d&amp;agent=desk" in page


def test_an_agent_without_requests_offers_to_send_one(visitor: Client, workspace: Workspace, desk: Agent) -> None:
    assert "It has had no request yet" in page_of(visitor, workspace, "desk/")


def test_the_definition_is_shown_as_text_with_its_tools(
    visitor: Client, workspace: Workspace, desk: Agent, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        page = page_of(visitor, workspace, "desk/?tab=definition")
    assert "Book &lt;b&gt;trips&lt;/b&gt;." in page
    assert "<b>calculate</b>" in page
    assert "expression" in page
    assert re.search(r"<dt>Deadline</dt>\s*<dd[^>]*>\s*1m 30s\s*</dd>", page)


def test_what_keeps_it_from_running_is_said(visitor: Client, workspace: Workspace, desk: Agent) -> None:
    save_version(desk, AgentDefinition(tools=("telepathy",)), actor="tests")
    page = page_of(visitor, workspace, "desk/?tab=definition")
    assert "It cannot run as it is." in page
    assert page.count("telepathy") == 2


def test_tools_are_counted_from_the_log(visitor: Client, workspace: Workspace, desk: Agent) -> None:
    agent_request = past_request(desk, timezone.now())
    for number, is_error in enumerate([False, False, False, True]):
        payload = {
            "tool_call_id": str(number),
            "tool_name": "search",
            "duration_ms": 100 * (number + 1),
            "result": {"content": "", "is_error": is_error, "metadata": {}},
        }
        events.append(agent_request, [NewEvent(event_type=EventKind.TOOL_COMPLETED, payload=payload)])
    page = page_of(visitor, workspace, "desk/?tab=tools")
    row = re.findall(r"<tr data-row.*?</tr>", page, re.DOTALL)[0]
    assert re.findall(r">([^<\s][^<]*)</(?:span|td)>", row)[:5] == ["search", "4", "25.0%", "250 ms", "385 ms"]


def test_versions_can_be_compared(visitor: Client, workspace: Workspace, owner: User, desk: Agent) -> None:
    save_version(
        desk, desk.definition.model_copy(update={"max_steps": 20}), actor="ada", author=owner, note="More steps"
    )
    save_version(desk, desk.definition.model_copy(update={"max_steps": 30}), actor="ada", author=owner)
    page = page_of(visitor, workspace, "desk/?tab=versions")
    assert "From v2 to v3" in page
    assert '<pre class="removed">-max_steps: 20' in page
    assert "More steps" in page
    assert owner.get_username() in page
    page = page_of(visitor, workspace, "desk/?tab=versions&a=1&b=3")
    assert '<pre class="removed">-max_steps: 12' in page
    assert '<pre class="added">+max_steps: 30' in page
    assert "There is no such version" in page_of(visitor, workspace, "desk/?tab=versions&a=1&b=9")


def test_a_message_becomes_a_request_whose_page_opens(visitor: Client, workspace: Workspace, desk: Agent) -> None:
    url = f"/w/{workspace.slug}/agents/desk/?tab=test"
    assert "<textarea" in visitor.get(url).content.decode()
    response = visitor.post(url, {"message": "Lima, please", "session_id": "s-1"})
    sent = workspace.agent_requests.get()
    assert (sent.message, sent.session_id, sent.agent) == ("Lima, please", "s-1", desk)
    assert response["Location"] == f"/w/{workspace.slug}/requests/{sent.request_id}/"


def test_what_is_wrong_with_a_message_is_said_beside_it(visitor: Client, workspace: Workspace, desk: Agent) -> None:
    response = visitor.post(f"/w/{workspace.slug}/agents/desk/?tab=test", {"message": "", "session_id": "kept"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "This field is required" in page
    assert 'value="kept"' in page
    workspace.agents.filter(pk=desk.pk).update(is_enabled=False)
    assert "It takes no requests just now" in page_of(visitor, workspace, "desk/?tab=test")
    assert (
        "switched off" in visitor.post(f"/w/{workspace.slug}/agents/desk/?tab=test", {"message": "x"}).content.decode()
    )


def test_a_viewer_may_look_only(viewer: Client, workspace: Workspace, desk: Agent) -> None:
    assert "You may look" in page_of(viewer, workspace, "desk/?tab=test")
    assert viewer.post(f"/w/{workspace.slug}/agents/desk/?tab=test", {"message": "x"}).status_code == 403
    assert workspace.agent_requests.count() == 0


def test_an_agent_of_another_workspace_is_not_there(
    visitor: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    AgentFactory.create(workspace=other_workspace, agent_id="foreign")
    page_of(visitor, workspace, "foreign/", status=404)


def test_an_agent_whose_code_is_away_says_so(visitor: Client, workspace: Workspace, desk: Agent) -> None:
    workspace.agents.filter(pk=desk.pk).update(source="code", is_gone=True)
    for tab in ("activity", "definition", "test"):
        assert "not part of this deployment" in page_of(visitor, workspace, f"desk/?tab={tab}")
