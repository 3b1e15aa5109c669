"""The version history: readable differences, and one click back."""

import pytest
from django.urls import reverse

from agents.definition import AgentDefinition
from agents.models import Agent
from agents.versions import save_version
from tests.admin.conftest import SignIn
from tests.factories import AgentFactory
from workflows.catalogue import new_workflow
from workflows.definition import WorkflowDefinition
from workflows.versions import save_workflow
from workspaces.roles import Role


@pytest.fixture
def agent(workspace) -> Agent:
    agent = AgentFactory.create(workspace=workspace, definition={"system_prompt": "One.\nTwo.\nThree."})
    changed = AgentDefinition(system_prompt="One.\nTwo and a half.\nThree.", max_steps=5)
    save_version(agent, changed, actor="tests", note="Half a step")
    return agent


def history(agent: Agent) -> str:
    return reverse("admin:agents_agent_versions", args=[agent.pk])


def test_neighbours_are_compared_line_by_line(sign_in: SignIn, agent):
    page = sign_in(Role.VIEWER).get(history(agent)).content.decode()
    assert '<span class="removed">-  Two.' in page
    assert '<span class="added">+  Two and a half.' in page
    assert '<span class="added">+max_steps: 5' in page
    assert "Half a step" in page


def test_going_back_makes_a_new_version(sign_in: SignIn, agent):
    client = sign_in(Role.DEVELOPER)
    answer = client.post(reverse("admin:agents_agent_restore", args=[agent.pk, 1]), follow=True)
    assert answer.status_code == 200
    agent.refresh_from_db()
    assert (agent.current_version.number, agent.definition.max_steps) == (3, 30)
    assert agent.current_version.author.pk == int(client.session["_auth_user_id"])
    assert "by user-" in client.get(history(agent)).content.decode()


def test_a_version_that_does_not_exist_is_not_found(sign_in: SignIn, agent):
    client = sign_in(Role.DEVELOPER)
    assert client.post(reverse("admin:agents_agent_restore", args=[agent.pk, 99])).status_code == 404


def test_a_viewer_is_offered_no_way_back(sign_in: SignIn, agent):
    assert "Back to version" not in sign_in(Role.VIEWER).get(history(agent)).content.decode()


def test_going_back_needs_the_form_token(workspace, agent, sign_in: SignIn):
    client = sign_in(Role.DEVELOPER)
    client.handler.enforce_csrf_checks = True
    assert client.post(reverse("admin:agents_agent_restore", args=[agent.pk, 1])).status_code == 403


def test_restoring_what_cannot_run_says_so(sign_in: SignIn, workspace):
    agent = AgentFactory.create(workspace=workspace, definition={"tools": ("gone",)})
    save_version(agent, AgentDefinition(), actor="tests")
    client = sign_in(Role.DEVELOPER)
    answer = client.post(reverse("admin:agents_agent_restore", args=[agent.pk, 1]), follow=True)
    assert "does not offer gone" in answer.content.decode()


def test_a_long_history_has_pages(sign_in: SignIn, workspace):
    agent = AgentFactory.create(workspace=workspace)
    for steps in range(1, 25):
        save_version(agent, AgentDefinition(max_steps=steps), actor="tests")
    client = sign_in(Role.VIEWER)
    first = client.get(history(agent)).content.decode()
    assert 'id="version-25"' in first
    assert 'id="version-6"' in first
    assert 'id="version-5"' not in first
    assert "?before=6" in first
    assert 'id="version-5"' in client.get(history(agent), {"before": "6"}).content.decode()


def test_a_workflow_has_a_history_and_a_way_back_too(sign_in: SignIn, workspace):
    workflow = new_workflow(workspace, "nightly")
    for seconds in (5, 6):
        steps = [{"id": "later", "kind": "wait", "seconds": seconds}]
        save_workflow(workflow, WorkflowDefinition.model_validate({"steps": steps}), actor="tests")
    client = sign_in(Role.DEVELOPER)
    page = client.get(reverse("admin:workflows_workflow_versions", args=[workflow.pk])).content.decode()
    assert "-  seconds: 5" in page
    assert "+  seconds: 6" in page
    tab = client.get(f"/w/{workspace.slug}/workflows/nightly/?tab=versions").content.decode()
    assert '<pre class="added">+  seconds: 6' in tab
    client.post(reverse("admin:workflows_workflow_restore", args=[workflow.pk, 1]))
    workflow.refresh_from_db()
    assert workflow.current_version
    assert (workflow.current_version.number, workflow.current_version.definition["steps"][0]["seconds"]) == (3, 5)
