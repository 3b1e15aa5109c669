"""“Send a test message”: from the agent's page to the answer."""

import re

import pytest
from django.urls import reverse

from runtime import finish
from runtime.models import AgentRequest
from tests.admin.conftest import SignIn
from tests.factories import AgentFactory, AgentRequestFactory
from workspaces.roles import Role


def send_url(agent) -> str:
    return reverse("admin:runtime_agentrequest_send", args=[agent.pk])


@pytest.mark.django_db(transaction=True)
def test_a_message_is_answered_and_its_page_says_when(sign_in: SignIn, workspace, run_requests):
    agent = AgentFactory.create(workspace=workspace, definition={"tools": ("calculate",)})
    client = sign_in(Role.OPERATOR)
    assert send_url(agent) in client.get(reverse("admin:agents_agent_change", args=[agent.pk])).content.decode()
    waiting = client.post(send_url(agent), {"message": "What is 6 * 7?"}, follow=True)
    page = waiting.content.decode()
    assert waiting.headers["Refresh"] == "1"
    assert "runtime.request.accepted" in page
    agent_request = AgentRequest.rows.get()
    assert agent_request.created_by.startswith("user-")
    assert agent_request.session_id.startswith("admin-")

    run_requests()
    ended = client.get(waiting.redirect_chain[-1][0])
    page = ended.content.decode()
    assert "Refresh" not in ended.headers
    assert re.search(r'<p class="answer-text">[^<]*42', page)
    assert "runtime.request.completed" in page
    turn = workspace.turns.get()
    assert reverse("admin:agents_turn_change", args=[turn.pk]) in page
    assert client.get(reverse("admin:agents_turn_change", args=[turn.pk])).status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"message": ""}, {"message": "  "}, {"message": "x" * 262_145}, {"message": "a\x00b"}]
)
def test_what_the_api_refuses_is_refused_here(sign_in: SignIn, workspace, wrong):
    agent = AgentFactory.create(workspace=workspace)
    answer = sign_in(Role.OPERATOR).post(send_url(agent), wrong)
    assert answer.status_code == 200
    assert "errornote" in answer.content.decode()
    assert not AgentRequest.rows.exists()


def test_a_disabled_agent_says_so(sign_in: SignIn, workspace):
    agent = AgentFactory.create(workspace=workspace, is_enabled=False)
    answer = sign_in(Role.OPERATOR).post(send_url(agent), {"message": "hello"})
    assert "switched off" in answer.content.decode()


def test_a_viewer_sends_nothing(sign_in: SignIn, workspace):
    agent = AgentFactory.create(workspace=workspace)
    client = sign_in(Role.VIEWER)
    assert client.post(send_url(agent), {"message": "hello"}).status_code == 403
    agent_request = AgentRequestFactory.create(workspace=workspace, agent=agent)
    page = client.get(reverse("admin:runtime_agentrequest_change", args=[agent_request.pk]))
    assert "Send another message" not in page.content.decode()


def test_a_conversation_goes_on(sign_in: SignIn, workspace):
    agent = AgentFactory.create(workspace=workspace)
    client = sign_in(Role.OPERATOR)
    assert 'value="s-1"' in client.get(send_url(agent), {"session_id": "s-1"}).content.decode()
    client.post(send_url(agent), {"message": "hello", "session_id": "s-1"})
    assert AgentRequest.rows.get().session_id == "s-1"


def test_a_failed_request_shows_its_error(sign_in: SignIn, workspace):
    agent_request = AgentRequestFactory.create(workspace=workspace)
    error = {"error": "It <broke>.", "error_type": "X", "error_code": "broken", "retryable": False}
    finish.fail(agent_request, [], reason="error", error=error)
    page = sign_in(Role.VIEWER).get(reverse("admin:runtime_agentrequest_change", args=[agent_request.pk]))
    assert "It &lt;broke&gt;. (broken)" in page.content.decode()


def test_our_pages_hold_no_inline_script_or_style(sign_in: SignIn, workspace):
    agent_request = AgentRequestFactory.create(workspace=workspace)
    client = sign_in(Role.OWNER)
    urls = [
        reverse("admin:index"),
        reverse("admin:agents_agent_change", args=[agent_request.agent_id]),
        reverse("admin:agents_agent_versions", args=[agent_request.agent_id]),
        reverse("admin:runtime_agentrequest_changelist"),
        reverse("admin:runtime_agentrequest_change", args=[agent_request.pk]),
        send_url(agent_request.agent),
    ]
    for url in urls:
        answer = client.get(url)
        page = answer.content.decode()
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "<style" not in page
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"\s(style|on\w+)=", re.sub(r"<(input|textarea|a)[^>]*\bname=\"on", "", page))
