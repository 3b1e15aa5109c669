"""Defining an agent in the admin: one form, a version for every change, errors at their fields."""

from typing import Any

import pytest
from django.urls import reverse

from agents.admin.agent_form import AgentForm
from agents.build import build_agent
from agents.definition import AgentDefinition
from agents.models import Agent
from tests.admin.conftest import SignIn
from tests.factories import AgentFactory, CredentialFactory
from workspaces.bootstrap import add_member
from workspaces.models import AuditEntry, User, Workspace
from workspaces.roles import Role

ADD = "admin:agents_agent_add"
ROUTING = {
    "display_name": "Travel desk",
    "description": "Books journeys.",
    "capabilities": "trains\r\n\r\nplanes ",
    "usage_guidance": "Call it for journeys.",
}


@pytest.fixture
def developer(sign_in: SignIn):
    return sign_in(Role.DEVELOPER)


def entered(**values: Any) -> dict[str, Any]:
    """What a browser sends for a new agent on the demo provider."""
    defaults = AgentDefinition().model_dump()
    numbers = {name: value for name, value in defaults.items() if isinstance(value, int | float)}
    flags = {name: "on" for name, value in defaults.items() if value is True}
    numbers = {name: value for name, value in numbers.items() if not isinstance(value, bool)}
    texts = {"agent_id": "travel-desk", "provider": "demo", "system_prompt": "Be kind.\r\nBe brief."}
    return {**numbers, **flags, **texts, **ROUTING, "role": "subagent", "is_enabled": "on", "position": 0, **values}


def url_of(agent: Agent) -> str:
    return reverse("admin:agents_agent_change", args=[agent.pk])


def errors_of(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def test_the_form_knows_everything_of_a_definition():
    assert set(AgentDefinition.model_fields) <= set(AgentForm.base_fields)
    assert all(field.help_text for name, field in AgentForm.base_fields.items() if name in AgentDefinition.model_fields)


def test_a_new_agent_has_a_first_version_with_its_author(developer, workspace: Workspace):
    answer = developer.post(reverse(ADD), entered(workspace=workspace.pk, tools=["calculate"], deadline_s=60))
    assert answer.status_code == 302
    agent = workspace.agents.get()
    definition = agent.definition
    assert definition.capabilities == ("trains", "planes")
    assert (definition.tools, definition.deadline_s) == (("calculate",), 60)
    assert definition.system_prompt == "Be kind.\nBe brief."
    assert agent.current_version.number == 1
    assert agent.current_version.author.pk == int(developer.session["_auth_user_id"])
    assert build_agent(workspace, agent, agent.current_version).tools.list_tools()[0].name == "calculate"


def test_a_save_without_a_change_makes_no_version(developer, workspace):
    developer.post(reverse(ADD), entered(workspace=workspace.pk))
    agent = workspace.agents.get()
    assert developer.post(url_of(agent), entered()).status_code == 302
    assert agent.versions.count() == 1


def test_a_change_makes_a_version_with_its_note(developer, workspace):
    agent = AgentFactory.create(workspace=workspace, definition={"max_steps": 7, "capabilities": ("a",)})
    developer.post(url_of(agent), entered(max_steps=9, note="More room", is_enabled=""))
    agent.refresh_from_db()
    assert (agent.definition.max_steps, agent.current_version.number, agent.current_version.note) == (9, 2, "More room")
    assert agent.is_enabled is False
    assert {"is_enabled": False} in AuditEntry.rows.filter(action="agent.changed").values_list("details", flat=True)


def test_id_and_workspace_are_fixed(developer, workspace, other_workspace):
    agent = AgentFactory.create(workspace=workspace, agent_id="first")
    developer.post(url_of(agent), entered(agent_id="second", workspace=other_workspace.pk))
    agent.refresh_from_db()
    assert (agent.agent_id, agent.workspace) == ("first", workspace)


def test_a_prompt_of_blocks_stays_one(developer, workspace):
    blocks = '[{"type": "text", "text": "Be kind."}]'
    developer.post(reverse(ADD), entered(workspace=workspace.pk, system_prompt=blocks))
    agent = workspace.agents.get()
    assert agent.definition.system_prompt == [{"type": "text", "text": "Be kind."}]
    assert "Be kind" in developer.get(url_of(agent)).content.decode()


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("max_steps", {"max_steps": 0}),
        ("max_steps", {"max_steps": "many"}),
        ("temperature", {"temperature": 3}),
        ("deadline_s", {"deadline_s": -1}),
        ("max_tokens", {"max_tokens": 2_000_000}),
        ("system_prompt", {"system_prompt": ""}),
        ("agent_id", {"agent_id": "no spaces/please"}),
        ("tools", {"tools": ["rm_rf"]}),
        ("requires_approval", {"tools": ["calculate"], "requires_approval": "calulate"}),
        ("subagents", {"subagents": "nobody"}),
        ("credential", {"provider": "anthropic", "credential": "nobody"}),
        ("model", {"provider": "anthropic", "model": "gpt-5"}),
        ("model", {"provider": "openai", "model": "claude-haiku-4-5"}),
        ("display_name", {"display_name": ""}),
        ("description", {"description": " "}),
        ("capabilities", {"capabilities": ""}),
        ("usage_guidance", {"usage_guidance": ""}),
        ("display_name", {"display_name": "x" * 101}),
    ],
)
def test_a_wrong_value_is_told_at_its_field(developer, workspace, field, wrong):
    answer = developer.post(reverse(ADD), entered(workspace=workspace.pk, **wrong))
    assert field in errors_of(answer)
    assert not workspace.agents.exists()


def test_a_primary_agent_needs_no_routing_metadata(developer, workspace):
    blank = dict.fromkeys(ROUTING, "")
    assert developer.post(reverse(ADD), entered(workspace=workspace.pk, role="primary", **blank)).status_code == 302


def test_there_is_one_primary_agent(developer, workspace):
    AgentFactory.create(workspace=workspace, role="primary", agent_id="first")
    second = AgentFactory.create(workspace=workspace)
    assert "first" in str(errors_of(developer.post(url_of(second), entered(role="primary")))["role"])
    assert "role" in errors_of(developer.post(reverse(ADD), entered(workspace=workspace.pk, role="primary")))


def test_an_id_is_unique_in_its_workspace(developer, workspace, other_workspace):
    AgentFactory.create(workspace=other_workspace, agent_id="travel-desk")
    assert developer.post(reverse(ADD), entered(workspace=workspace.pk)).status_code == 302
    assert developer.post(reverse(ADD), entered(workspace=workspace.pk)).status_code == 200


def test_a_credential_must_be_of_the_providers_kind(developer, workspace):
    credential = CredentialFactory.create(workspace=workspace, kind="openai")
    values = entered(workspace=workspace.pk, provider="anthropic", credential=credential.name)
    assert "credential" in errors_of(developer.post(reverse(ADD), values))
    assert developer.post(reverse(ADD), {**values, "provider": "openai"}).status_code == 302


def test_a_credential_of_another_workspace_is_no_choice(developer, workspace, other_workspace):
    credential = CredentialFactory.create(workspace=other_workspace, kind="anthropic")
    values = entered(workspace=workspace.pk, provider="anthropic", credential=credential.name)
    assert "credential" in errors_of(developer.post(reverse(ADD), values))


def test_where_the_operators_keys_do_not_serve_a_credential_is_needed(developer, workspace, settings):
    settings.MASH_ENVIRONMENT_KEY_WORKSPACES = []
    answer = developer.post(reverse(ADD), entered(workspace=workspace.pk, provider="anthropic"))
    assert "credential" in errors_of(answer)


def test_a_missing_environment_key_is_told_and_not_refused(developer, workspace, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    answer = developer.post(reverse(ADD), entered(workspace=workspace.pk, provider="anthropic"), follow=True)
    assert "holds no key" in answer.content.decode()
    assert workspace.agents.exists()


def test_a_chosen_tool_that_is_gone_can_be_unticked(developer, workspace):
    agent = AgentFactory.create(workspace=workspace, definition={"tools": ("gone", "calculate")})
    page = developer.get(url_of(agent)).content.decode()
    assert "gone: not offered by this deployment" in page
    assert "tools" in errors_of(developer.post(url_of(agent), entered(tools=["gone", "calculate"])))
    assert developer.post(url_of(agent), entered(tools=["calculate"])).status_code == 302


def test_somebody_in_two_workspaces_chooses_one(developer, workspace, other_workspace):
    CredentialFactory.create(workspace=other_workspace, name="over-there")
    add_member(other_workspace, User.objects.get(pk=developer.session["_auth_user_id"]), Role.DEVELOPER, actor="tests")
    assert "over-there" in developer.get(reverse(ADD)).content.decode()
    wrong = entered(workspace=workspace.pk, provider="anthropic", credential="over-there")
    assert "credential" in errors_of(developer.post(reverse(ADD), wrong))
    assert developer.post(reverse(ADD), {**wrong, "workspace": other_workspace.pk}).status_code == 302


def delegating(workspace: Workspace, agent_id: str, *subagents: str, depth: int = 3) -> Agent:
    definition = {"subagents": subagents, "max_delegation_depth": depth}
    agent: Agent = AgentFactory.create(workspace=workspace, agent_id=agent_id, role="subagent", definition=definition)
    return agent


def test_work_must_not_come_back(developer, workspace):
    first = delegating(workspace, "first")
    delegating(workspace, "second", "third")
    delegating(workspace, "third", "first")
    deep = entered(subagents="second", max_delegation_depth=3)
    fault = errors_of(developer.post(url_of(first), deep))["subagents"]
    assert "first → second → third → first" in str(fault)
    assert "itself" in str(errors_of(developer.post(url_of(first), entered(subagents="first")))["subagents"])
    first.refresh_from_db()
    assert first.definition.subagents == ()
    assert developer.post(url_of(first), entered(subagents="")).status_code == 302


def test_two_may_name_each_other_where_the_depth_ends_it(developer, workspace):
    first = delegating(workspace, "first")
    delegating(workspace, "second", "first", depth=1)
    assert developer.post(url_of(first), entered(subagents="second", max_delegation_depth=3)).status_code == 302


def test_a_primary_agent_without_a_list_calls_every_subagent(developer, workspace):
    primary = AgentFactory.create(workspace=workspace, agent_id="boss", role="primary")
    delegating(workspace, "worker", "boss")
    blank = {**dict.fromkeys(ROUTING, ""), "role": "primary", "subagents": ""}
    assert "boss → worker → boss" in str(errors_of(developer.post(url_of(primary), entered(**blank)))["subagents"])


def test_the_form_tells_the_names_that_may_be_entered(developer, workspace, other_workspace):
    delegating(workspace, "first")
    delegating(other_workspace, "over-there")
    page = developer.get(reverse(ADD)).content.decode()
    assert "In this workspace: first." in page
    assert "over-there" not in page


def test_a_folded_section_opens_where_something_is_wrong(developer, workspace):
    agent = AgentFactory.create(workspace=workspace)
    assert developer.get(url_of(agent)).content.decode().count("<details>") == 3
    assert developer.post(url_of(agent), entered(max_steps=0)).content.decode().count("<details>") == 2


def test_agents_are_found_by_name_and_model(developer, workspace):
    AgentFactory.create(workspace=workspace, agent_id="a-1", definition={"display_name": "Travel desk"})
    AgentFactory.create(workspace=workspace, agent_id="b-2", definition={"provider": "anthropic", "model": "opus"})
    for text, found in (("travel", "a-1"), ("OPUS", "b-2"), ("b-", "b-2")):
        page = developer.get(reverse("admin:agents_agent_changelist"), {"q": text}).content.decode()
        assert [name for name in ("a-1", "b-2") if f">{name}</a>" in page] == [found]
