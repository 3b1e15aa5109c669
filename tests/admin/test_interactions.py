"""The inbox in the admin: what is asked, and answering it."""

from typing import Any

import pytest
from django.urls import reverse

from agents.models import Agent
from runtime.models import AgentRequest, Interaction
from tests import tools
from tests.admin.conftest import SignIn
from tests.conftest import AgentMaker, Driver, Stepper
from tests.factories import AgentRequestFactory, InteractionFactory
from workspaces.models import Workspace
from workspaces.roles import Role

LIST = "admin:runtime_interaction_changelist"


@pytest.fixture
def agent(make_agent: AgentMaker) -> Agent:
    tools.calls.clear()
    return make_agent(tools=("guarded", "AskUser"))


def ask(agent: Agent, run_once: Stepper, message: str) -> Interaction:
    agent_request: AgentRequest = AgentRequestFactory.create(
        workspace=agent.workspace, agent=agent, session_id="s", message=message
    )
    run_once(agent_request)
    return agent_request.interactions.get()


def answer_url(interaction: Interaction) -> str:
    return reverse("admin:runtime_interaction_answer", args=[interaction.pk])


def change_url(interaction: Interaction) -> str:
    return reverse("admin:runtime_interaction_change", args=[interaction.pk])


CHOICE = 'tools=1 tool=AskUser args={"question": "Which?", "options": ["tea", "coffee"]} say=done'
INFO = 'tools=1 tool=AskUser args={"question": "Who?"} say=done'


@pytest.mark.parametrize(
    ("message", "sent", "stored"),
    [
        ("tools=1 tool=guarded say=done", {"response": "approve", "note": "go on"}, ("approve", "go on")),
        ("tools=1 tool=guarded say=done", {"response": "deny"}, ("deny", "")),
        (CHOICE, {"response": ["tea", "coffee"]}, (["tea", "coffee"], "")),
        (INFO, {"response": "Ada"}, ("Ada", "")),
    ],
)
def test_a_question_is_answered_and_the_request_goes_on(
    agent: Agent, run_once: Stepper, run_requests: Driver, sign_in: SignIn, message: str, sent: Any, stored: Any
) -> None:
    interaction = ask(agent, run_once, message)
    client = sign_in(Role.OPERATOR)
    assert answer_url(interaction) in client.get(change_url(interaction)).content.decode()
    assert client.get(answer_url(interaction)).status_code == 200
    answered = client.post(answer_url(interaction), sent)
    assert answered.status_code == 302
    run_requests()
    interaction.refresh_from_db()
    assert (interaction.answer, interaction.note) == stored
    assert interaction.answered_by.startswith("user-")
    assert AgentRequest.rows.get().status == "completed"
    assert len(tools.calls) == (sent["response"] == "approve")
    entry = agent.workspace.audit_entries.get(action="interaction.answered")
    assert entry.target == interaction.interaction_id
    assert answer_url(interaction) not in client.get(change_url(interaction)).content.decode()
    late = client.post(answer_url(interaction), sent).content.decode()
    assert "This question has been answered already." in late


@pytest.mark.parametrize("sent", [{}, {"response": ""}, {"response": "yes"}, {"note": "approve"}])
def test_nothing_but_a_choice_of_ones_own_approves(workspace: Workspace, sign_in: SignIn, sent: Any) -> None:
    interaction = InteractionFactory.create(workspace=workspace)
    client = sign_in(Role.OPERATOR)
    assert "checked" not in client.get(answer_url(interaction)).content.decode()
    assert client.post(answer_url(interaction), sent).status_code == 200
    interaction.refresh_from_db()
    assert interaction.state == "open"


def test_a_free_answer_satisfies_its_schema(workspace: Workspace, sign_in: SignIn) -> None:
    interaction = InteractionFactory.create(workspace=workspace, kind="info", schema={"type": "integer"}, tool_calls=[])
    client = sign_in(Role.OPERATOR)
    for wrong in ("", "seven", '"7"'):
        assert client.post(answer_url(interaction), {"response": wrong}).status_code == 200
    assert client.post(answer_url(interaction), {"response": "7"}).status_code == 302
    interaction.refresh_from_db()
    assert interaction.answer == 7


def test_what_would_run_is_shown_whole_and_harmless(workspace: Workspace, sign_in: SignIn) -> None:
    arguments = {"text": "<script>x</script>\u202e" + "x" * 20_000}
    interaction = InteractionFactory.create(workspace=workspace, tool_calls=[{"name": "bash", "arguments": arguments}])
    client = sign_in(Role.OPERATOR)
    for url in (answer_url(interaction), change_url(interaction)):
        page = client.get(url).content.decode()
        assert "<script>x" not in page
        assert "\u202e" not in page
        assert "x" * 20_000 in page


def test_a_viewer_reads_and_answers_nothing(workspace: Workspace, sign_in: SignIn) -> None:
    interaction = InteractionFactory.create(workspace=workspace)
    client = sign_in(Role.VIEWER)
    assert answer_url(interaction) not in client.get(change_url(interaction)).content.decode()
    for answer in (client.get(answer_url(interaction)), client.post(answer_url(interaction), {"response": "approve"})):
        assert answer.status_code == 403
    interaction.refresh_from_db()
    assert interaction.state == "open"


def test_the_list_tells_open_questions_from_settled_ones(workspace: Workspace, sign_in: SignIn) -> None:
    waiting = InteractionFactory.create(workspace=workspace, prompt="Still open?")
    InteractionFactory.create(workspace=workspace, prompt="Long done?", state="answered", answer="approve")
    client = sign_in(Role.VIEWER)
    page = client.get(reverse(LIST), {"state": "open"}).content.decode()
    assert "Still open?" in page
    assert "Long done?" not in page
    assert reverse("admin:runtime_agentrequest_change", args=[waiting.agent_request_id]) in page
    found = client.get(reverse(LIST), {"q": waiting.interaction_id}).content.decode()
    assert "Still open?" in found
    assert "Long done?" not in found


def test_the_list_asks_the_same_queries_however_long_it_is(
    workspace: Workspace, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        InteractionFactory.create(workspace=workspace)
    client = sign_in(Role.VIEWER)
    client.get(reverse(LIST))
    with django_assert_max_num_queries(12):
        client.get(reverse(LIST))
