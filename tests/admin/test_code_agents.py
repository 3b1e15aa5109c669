"""Agents that code defines: read-only, but for a switch and a few overrides."""

from typing import Any

import pytest
from django.urls import reverse
from typing_extensions import override

from agents import catalogue
from agents.build import build_agent
from agents.host import HostBuilder
from agents.llm.demo import DemoProvider
from agents.models import Agent
from agents.spec import AgentConfig, AgentSpec
from agents.starter import offer_starter_agent
from agents.tools.basics import basic_tools
from agents.tools.registry import ToolRegistry
from tests.admin.conftest import SignIn
from tests.factories import CredentialFactory
from workspaces.bootstrap import create_workspace
from workspaces.roles import Role


class Coded(AgentSpec):
    @override
    def get_agent_id(self) -> str:
        return "coded"

    @override
    def build_tools(self) -> ToolRegistry:
        return ToolRegistry(basic_tools())

    @override
    def build_llm(self) -> DemoProvider:
        return DemoProvider()

    @override
    def build_agent_config(self) -> AgentConfig:
        return AgentConfig(app_id="coded", system_prompt="From code.", max_steps=11)


@pytest.fixture
def coded(workspace, monkeypatch) -> Agent:
    monkeypatch.setattr(catalogue, "_registered_hosts", [HostBuilder().primary(Coded()).build()])
    catalogue.sync_code_agents([workspace])
    return workspace.agents.get()


@pytest.fixture
def developer(sign_in: SignIn):
    return sign_in(Role.DEVELOPER)


def url_of(agent: Agent) -> str:
    return reverse("admin:agents_agent_change", args=[agent.pk])


def entered(**values: Any) -> dict[str, Any]:
    names = ("provider", "model", "credential", "system_prompt", "max_steps", "max_tokens", "deadline_s")
    return {**dict.fromkeys(names, ""), "is_enabled": "on", **values}


def test_the_page_shows_the_code_and_offers_overrides_only(developer, coded):
    page = developer.get(url_of(coded)).content.decode()
    assert "as in the code (11)" in page
    assert "From code." in page
    for name in ("tools", "role", "temperature", "agent_id"):
        assert f'name="{name}"' not in page


def test_overrides_make_a_version_and_can_be_taken_back(developer, coded, workspace):
    assert developer.post(url_of(coded), entered(system_prompt="Ours.\r\nYes.", max_steps=3)).status_code == 302
    coded.refresh_from_db()
    assert coded.overrides == {"system_prompt": "Ours.\nYes.", "max_steps": 3}
    assert (coded.definition.system_prompt, coded.definition.max_steps, coded.current_version.number) == (
        "Ours.\nYes.",
        3,
        2,
    )
    catalogue.sync_code_agents([workspace])
    coded.refresh_from_db()
    assert coded.current_version.number == 2
    assert "Ours." in developer.get(url_of(coded)).content.decode()
    developer.post(url_of(coded), entered())
    coded.refresh_from_db()
    assert (coded.overrides, coded.definition.max_steps) == ({}, 11)


def test_what_is_not_an_override_cannot_be_changed(developer, coded):
    developer.post(url_of(coded), entered(role="subagent", tools=["calculate"], temperature=2, agent_id="x"))
    coded.refresh_from_db()
    assert (coded.role, coded.agent_id, coded.definition.temperature) == ("primary", "coded", 1.0)
    assert len(coded.definition.tools) == 2


def test_it_can_be_switched_off(developer, coded):
    developer.post(url_of(coded), entered(is_enabled=""))
    coded.refresh_from_db()
    assert coded.is_enabled is False


def test_another_provider_takes_the_workspaces_credential(developer, coded, workspace):
    credential = CredentialFactory.create(workspace=workspace, kind="anthropic")
    developer.post(url_of(coded), entered(provider="anthropic", credential=credential.name))
    coded.refresh_from_db()
    assert build_agent(workspace, coded, coded.current_version).llm.provider == "anthropic"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("max_steps", {"max_steps": 0}),
        ("deadline_s", {"deadline_s": -5}),
        ("model", {"provider": "anthropic", "model": "gpt-5"}),
        ("credential", {"provider": "anthropic", "credential": "nobody"}),
    ],
)
def test_a_wrong_override_is_told_at_its_field(developer, coded, field, wrong):
    answer = developer.post(url_of(coded), entered(**wrong))
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    coded.refresh_from_db()
    assert coded.overrides == {}


def test_its_versions_are_shown_and_not_restored(developer, coded):
    developer.post(url_of(coded), entered(max_steps=3))
    assert (
        "Back to version" not in developer.get(reverse("admin:agents_agent_versions", args=[coded.pk])).content.decode()
    )
    assert developer.post(reverse("admin:agents_agent_restore", args=[coded.pk, 1])).status_code == 403


def test_one_whose_code_is_gone_is_only_shown(developer, coded, monkeypatch):
    monkeypatch.setattr(catalogue, "_registered_hosts", [])
    page = developer.get(url_of(coded))
    assert page.status_code == 200
    assert "max_steps: 11" in page.content.decode()
    assert developer.post(url_of(coded), entered()).status_code == 403


def test_a_new_workspace_has_the_codes_agents(coded):
    [agent] = create_workspace("brand-new", "Brand new", actor="tests").agents.listed()
    assert agent.agent_id == "coded"


def test_an_agent_goes_and_comes_with_its_code(workspace, coded, monkeypatch):
    """And with it the role of the primary agent, for which the starter stands in."""
    starter = offer_starter_agent(workspace)

    def state() -> list[tuple[str, str, bool]]:
        return list(workspace.agents.order_by("agent_id").values_list("agent_id", "role", "is_gone"))

    here = [("assistant", "subagent", False), ("coded", "primary", False)]
    assert state() == here
    hosts = catalogue._registered_hosts
    monkeypatch.setattr(catalogue, "_registered_hosts", [])
    catalogue.sync_code_agents([workspace])
    assert state() == [("assistant", "primary", False), ("coded", "subagent", True)]
    assert [agent.pk for agent in workspace.agents.offered()] == [starter.pk]
    monkeypatch.setattr(catalogue, "_registered_hosts", hosts)
    catalogue.sync_code_agents([workspace])
    assert state() == here


def test_what_the_workspace_has_switched_off_stays_off(workspace, coded, monkeypatch):
    workspace.agents.update(is_enabled=False)
    hosts = catalogue._registered_hosts
    for present in ([], hosts):
        monkeypatch.setattr(catalogue, "_registered_hosts", present)
        catalogue.sync_code_agents([workspace])
    assert not workspace.agents.offered().exists()
