"""What each role may open and change in the admin."""

import pytest
from django.urls import reverse
from django.utils import timezone

from agents.models import Agent
from tests.admin.conftest import SignIn, furnish
from workspaces.models import Workspace
from workspaces.roles import Role

EVERYONE = set(Role)
OPERATORS = {Role.OPERATOR, Role.DEVELOPER, Role.ADMIN, Role.OWNER}
DEVELOPERS = {Role.DEVELOPER, Role.ADMIN, Role.OWNER}
ADMINS = {Role.ADMIN, Role.OWNER}
PAGES = {
    "agents_agent_changelist": EVERYONE,
    "agents_agent_add": DEVELOPERS,
    "agents_session_changelist": EVERYONE,
    "agents_turn_changelist": EVERYONE,
    "runtime_agentrequest_changelist": EVERYONE,
    "runtime_runtimeevent_changelist": EVERYONE,
    "runtime_interaction_changelist": EVERYONE,
    "workspaces_workspace_changelist": EVERYONE,
    "agents_providercredential_changelist": ADMINS,
    "agents_providercredential_add": ADMINS,
    "workspaces_membership_changelist": ADMINS,
    "workspaces_membership_add": ADMINS,
    "workspaces_apitoken_changelist": ADMINS,
    "workspaces_apitoken_add": ADMINS,
    "workspaces_auditentry_changelist": ADMINS,
    "workspaces_workspace_add": set(),
    "workspaces_user_changelist": set(),
    "runtime_agentrequest_add": set(),
    "runtime_runtimeevent_add": set(),
    "runtime_interaction_add": set(),
    "agents_turn_add": set(),
    "workspaces_auditentry_add": set(),
}


@pytest.mark.parametrize("role", Role)
def test_each_role_opens_what_it_may(sign_in: SignIn, role: Role):
    client = sign_in(role)
    opened = {name for name in PAGES if client.get(reverse(f"admin:{name}")).status_code == 200}
    assert opened == {name for name, roles in PAGES.items() if role in roles}


@pytest.mark.parametrize("role", Role)
def test_each_role_changes_what_it_may(sign_in: SignIn, workspace: Workspace, role: Role):
    rows = {model.__name__: row for model, row in furnish(workspace, "own").items()}
    agent = rows["Agent"]
    client = sign_in(role)
    changes = {
        reverse("admin:agents_agent_change", args=[agent.pk]): DEVELOPERS,
        reverse("admin:agents_agent_restore", args=[agent.pk, 1]): DEVELOPERS,
        reverse("admin:agents_workspaceskill_change", args=[rows["WorkspaceSkill"].pk]): DEVELOPERS,
        reverse("admin:agents_workspaceskill_restore", args=[rows["WorkspaceSkill"].pk, 1]): DEVELOPERS,
        reverse("admin:runtime_agentrequest_send", args=[agent.pk]): OPERATORS,
        reverse("admin:runtime_interaction_answer", args=[rows["Interaction"].pk]): OPERATORS,
        reverse("admin:runtime_agentrequest_steer", args=[rows["AgentRequest"].pk, "cancel"]): OPERATORS,
        reverse("admin:runtime_interaction_change", args=[rows["Interaction"].pk]): set(),
        reverse("admin:workspaces_workspace_change", args=[workspace.pk]): ADMINS,
        reverse("admin:agents_turn_change", args=[rows["Turn"].pk]): set(),
        reverse("admin:runtime_agentrequest_change", args=[rows["AgentRequest"].pk]): set(),
    }
    for url, roles in changes.items():
        assert (client.post(url).status_code != 403) == (role in roles), url


def test_nobody_deletes_agents_workspaces_or_facts(sign_in: SignIn, operator, workspace: Workspace):
    rows = furnish(workspace, "own")
    for client in (sign_in(Role.OWNER), operator):
        for model, row in rows.items():
            if model.__name__ in {"Membership", "PriceOverride", "ProviderCredential", "McpServer", "WorkspaceSkill"}:
                continue
            url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_delete", args=[row.pk])
            assert client.post(url, {"post": "yes"}).status_code == 403, model


def test_a_role_counts_only_in_its_own_workspace(sign_in: SignIn, workspace: Workspace, other_workspace: Workspace):
    mine, theirs = furnish(workspace, "own")[Agent], furnish(other_workspace, "other")[Agent]
    client = sign_in(Role.DEVELOPER)
    user_pk = int(client.session["_auth_user_id"])
    other_workspace.memberships.create(user_id=user_pk, role=Role.VIEWER, created_at=timezone.now())
    pages = {agent.pk: client.get(reverse("admin:agents_agent_change", args=[agent.pk])) for agent in (mine, theirs)}
    assert b'name="_save"' in pages[mine.pk].content
    assert b'name="_save"' not in pages[theirs.pk].content
    assert client.post(reverse("admin:agents_agent_change", args=[theirs.pk])).status_code == 403
    form = client.get(reverse("admin:agents_agent_add")).content.decode()
    assert "own-credential" in form
    assert "other-credential" not in form


def test_a_viewer_reads_the_definition(sign_in: SignIn, workspace: Workspace):
    agent = furnish(workspace, "own")[Agent]
    url = reverse("admin:agents_agent_change", args=[agent.pk])
    page = sign_in(Role.VIEWER).get(url).content.decode()
    assert "max_steps: 30" in page
    assert "Send a test message" not in page
    assert "Send a test message" in sign_in(Role.OPERATOR).get(url).content.decode()


def test_a_superuser_sees_every_workspace(operator, workspace: Workspace, other_workspace: Workspace):
    furnish(workspace, "first")
    furnish(other_workspace, "second")
    page = operator.get(reverse("admin:agents_agent_changelist")).content.decode()
    assert "first-agent" in page
    assert "second-agent" in page
