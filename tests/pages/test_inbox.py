"""The inbox: what agents ask people, answered on a page."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from runtime.models import AgentRequest, Interaction
from tests.conftest import AgentMaker, Driver, Stepper
from tests.factories import AgentRequestFactory, InteractionFactory
from workspaces.models import Workspace

HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) ![t](https://evil.example/x.png) {{ 7 }}"
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def agent(make_agent: AgentMaker) -> Agent:
    return make_agent(tools=("guarded", "AskUser"))


def asking(agent: Agent, run_once: Stepper, message: str) -> Interaction:
    """A question that a request has really asked."""
    agent_request = AgentRequestFactory.create(workspace=agent.workspace, agent=agent, session_id="s", message=message)
    run_once(agent_request)
    return agent_request.interactions.get()


def page(client: Client, workspace: Workspace, path: str = "", **query: str) -> str:
    answer = client.get(f"/w/{workspace.slug}/inbox/{path}", query)
    assert answer.status_code == 200
    return answer.content.decode()


def say(client: Client, asked: Interaction, **form: Any) -> Any:
    headers = form.pop("headers", {})
    return client.post(f"/w/{asked.workspace.slug}/inbox/{asked.interaction_id}/", form, headers=headers)


def ended(asked: Interaction) -> AgentRequest:
    agent_request: AgentRequest = asked.agent_request
    agent_request.refresh_from_db()
    return agent_request


def test_an_approval_is_given_on_the_page(
    visitor: Client, workspace: Workspace, agent: Agent, run_once: Stepper, run_requests: Driver
) -> None:
    asked = asking(agent, run_once, 'tools=1 tool=guarded args={"text": "precious"} say=done')
    html = page(visitor, workspace)
    for piece in (
        "wants to run guarded",
        "precious",
        'value="approve"',
        "data-left=",
        str(asked.agent_request.request_id),
    ):
        assert piece in html
    given = say(visitor, asked, response="approve", note="go on", next=f"/w/{workspace.slug}/inbox/")
    assert (given.status_code, given["Location"]) == (302, f"/w/{workspace.slug}/inbox/")
    run_requests()
    assert ended(asked).status == "completed"
    assert "guarded" not in page(visitor, workspace)
    told = page(visitor, workspace, state="answered")
    assert "Approved by" in told
    assert "go on" in told
    assert workspace.audit_entries.filter(action="interaction.answered", target=asked.interaction_id).exists()


def test_a_choice_and_a_free_answer(visitor: Client, agent: Agent, run_once: Stepper, run_requests: Driver) -> None:
    choice = 'tools=1 tool=AskUser args={"question": "Which?", "options": ["red", "blue"]} say=done'
    asked = asking(agent, run_once, choice)
    assert say(visitor, asked, response=["green"]).status_code == 422
    fragment = say(visitor, asked, response=["red", "blue"], headers=HTMX)
    assert fragment.status_code == 200
    assert "red, blue" in fragment.content.decode()
    assert "<html" not in fragment.content.decode()
    run_requests()
    assert ended(asked).status == "completed"
    asked = asking(agent, run_once, 'tools=1 tool=AskUser args={"question": "How?"} say=done')
    assert say(visitor, asked, response="like this").status_code == 302
    asked.refresh_from_db()
    assert asked.answer == "like this"


def test_what_can_no_longer_be_answered_says_so_in_words(visitor: Client, workspace: Workspace) -> None:
    answered = InteractionFactory.create(workspace=workspace)
    assert say(visitor, answered, response="deny").status_code == 302
    again = say(visitor, answered, response="approve")
    assert again.status_code == 409
    assert "has been answered already" in again.content.decode()
    late = InteractionFactory.create(workspace=workspace, deadline=timezone.now() - timedelta(seconds=1))
    assert 'value="approve"' not in page(visitor, workspace, f"{late.interaction_id}/")
    gone = say(visitor, late, response="approve", headers=HTMX)
    assert gone.status_code == 410
    assert "no longer open" in gone.content.decode()


def test_a_viewer_sees_and_cannot_answer(viewer: Client, workspace: Workspace) -> None:
    asked = InteractionFactory.create(workspace=workspace)
    assert 'name="response"' not in page(viewer, workspace)
    its_request = f"/w/{workspace.slug}/requests/{asked.agent_request.request_id}/"
    assert 'name="response"' not in viewer.get(its_request).content.decode()
    assert say(viewer, asked, response="approve").status_code == 403
    asked.refresh_from_db()
    assert asked.state == "open"


def test_strangers_find_nothing(
    stranger: Client, visitor: Client, other_workspace: Workspace, workspace: Workspace
) -> None:
    asked = InteractionFactory.create(workspace=workspace)
    foreign = InteractionFactory.create(workspace=other_workspace, prompt="foreign secret")
    assert stranger.get(f"/w/{workspace.slug}/inbox/").status_code == 404
    assert say(stranger, asked, response="approve").status_code == 404
    assert visitor.get(f"/w/{workspace.slug}/inbox/{foreign.interaction_id}/").status_code == 404
    assert (
        visitor.post(f"/w/{workspace.slug}/inbox/{foreign.interaction_id}/", {"response": "approve"}).status_code == 404
    )
    assert "foreign secret" not in page(visitor, workspace, state="all")


def test_pages_are_bounded_and_go_on_by_key(
    visitor: Client, workspace: Workspace, agent: Agent, django_assert_max_num_queries: Any
) -> None:
    agent_request = AgentRequestFactory.create(workspace=workspace, agent=agent)
    InteractionFactory.create_batch(31, workspace=workspace, agent_request=agent_request)
    with django_assert_max_num_queries(8):
        html = page(visitor, workspace)
    assert html.count("<article") == 30
    cursor = html.split("?cursor=")[1].split('"')[0]
    assert page(visitor, workspace, cursor=cursor).count("<article") == 1
    assert "state: odd is unknown" in page(visitor, workspace, state="odd")


def test_hostile_words_do_nothing(visitor: Client, workspace: Workspace) -> None:
    call = {"id": "c", "name": "bash", "arguments": {"command": HOSTILE}}
    for kind in ("approval", "choice", "info"):
        InteractionFactory.create(
            workspace=workspace,
            kind=kind,
            prompt=HOSTILE,
            options=[HOSTILE],
            tool_calls=[call],
            schema={"title": HOSTILE},
        )
    html = page(visitor, workspace)
    for piece in ("<script>alert", 'href="javascript', "<img"):
        assert piece not in html
    assert "&lt;script&gt;alert(1)" in html


def test_an_empty_inbox_says_what_comes_here(visitor: Client, workspace: Workspace) -> None:
    assert "requires_approval" in page(visitor, workspace)
    assert "See the open ones" in page(visitor, workspace, state="expired")
