"""From a row in the admin to its page in the web UI."""

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from agents.memory.models import Session
from agents.models import Agent
from runtime.models import AgentRequest, Interaction, RuntimeEvent
from tests.admin.conftest import SignIn, furnish
from workspaces.models import Workspace
from workspaces.roles import Role


def page_of(client: Client, row: Model) -> str:
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return client.get(url).content.decode()


@pytest.mark.parametrize("model", [Agent, AgentRequest, RuntimeEvent, Session, Interaction, Workspace])
def test_a_page_leads_to_what_happened(sign_in: SignIn, workspace: Workspace, model: type[Model]) -> None:
    rows = furnish(workspace, "own")
    agent_request, question = workspace.agent_requests.get(), workspace.interactions.get()
    places: dict[type[Model], tuple[str, list[object]]] = {
        Agent: ("agent", ["own-agent"]),
        AgentRequest: ("request", [agent_request.request_id]),
        RuntimeEvent: ("request", [agent_request.request_id]),
        Session: ("session", ["own-agent", "own-session"]),
        Interaction: ("interaction", [question.interaction_id]),
        Workspace: ("overview", []),
    }
    name, arguments = places[model]
    client = sign_in(Role.OWNER)
    link = reverse(f"web:{name}", args=[workspace.slug, *arguments])
    assert f'<a href="{link}">Open in telemetry</a>' in page_of(client, rows[model])
    assert client.get(link).status_code == 200


def test_nothing_to_open_before_a_row_is_there(operator: Client) -> None:
    for name in ("agents_agent_add", "workspaces_workspace_add"):
        assert "Open in telemetry" not in operator.get(reverse(f"admin:{name}")).content.decode()
