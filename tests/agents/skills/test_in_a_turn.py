"""Skills reach the model: a workspace's own, the code's and the deployment's, in a real turn."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from agents.build import AgentNotRunnable, build_agent
from agents.catalogue import code_agents, sync_code_agents
from agents.host import HostBuilder
from agents.llm.catalogue import create_provider
from agents.models import Agent
from agents.skill_versions import save_skill_version
from agents.skills.base import Skill
from agents.skills.registry import SkillRegistry
from agents.spec import AgentConfig, AgentSpec
from agents.tools.registry import ToolRegistry
from benchmarks.model_server import ModelServer
from tests.agents.skills.test_folders import CONTEXT, add_skill
from tests.conftest import AgentMaker, Driver
from tests.factories import SkillFactory
from tests.web import Web
from workspaces.models import Workspace

Ask = Callable[[Agent, str], dict[str, Any]]


@pytest.fixture
def ask(web: Web, run_requests: Driver) -> Ask:
    """What the tool answered in the turn."""

    def ask(agent: Agent, name: str) -> dict[str, Any]:
        message = f'tools=1 tool=Skill args={{"name": "{name}"}}'
        web.post(f"/api/v1/agent/{agent.agent_id}/request", {"message": message, "session_id": "s"})
        [agent_request] = run_requests()
        assert agent_request.status == "completed", agent_request.error
        result: dict[str, Any] = agent_request.events.get(event_type="runtime.tool.call.completed").payload["result"]
        return result

    return ask


def tools_of(agent: Agent) -> list[str]:
    assert agent.current_version
    return [tool.name for tool in build_agent(agent.workspace, agent, agent.current_version).tools.list_tools()]


def test_a_workspaces_skill_is_read_in_its_current_version(
    ask: Ask, workspace: Workspace, make_agent: AgentMaker, model: ModelServer
) -> None:
    skill = SkillFactory.create(workspace=workspace, name="refunds", content={"description": "How to refund"})
    agent = make_agent(skills_enabled=True)
    save_skill_version(skill, description="How to refund", text="Second version.", actor="tests")
    result = ask(agent, "refunds")
    assert json.loads(result["content"]) == {
        "base_path": "/skills/refunds",
        "skill_path": "/skills/refunds/SKILL.md",
        "skill_name": "refunds",
        "skill_md": "Second version.",
    }
    [offered] = [tool for tool in model.requests()[0]["body"]["tools"] if tool["name"] == "Skill"]
    assert "- refunds: How to refund" in offered["description"]
    assert offered["input_schema"]["properties"]["name"]["enum"] == ["refunds"]


def test_the_tool_comes_after_the_agents_own_and_only_with_skills(
    workspace: Workspace, make_agent: AgentMaker, model: ModelServer
) -> None:
    assert "Skill" not in tools_of(make_agent(skills_enabled=True))
    SkillFactory.create(workspace=workspace)
    assert "Skill" not in tools_of(make_agent(skills_enabled=False))
    assert tools_of(make_agent(skills_enabled=True, tools=("echo", "calculate"))) == ["echo", "calculate", "Skill"]


def test_an_agent_has_the_skills_that_it_names(ask: Ask, workspace: Workspace, make_agent: AgentMaker) -> None:
    for name in ("one", "two"):
        SkillFactory.create(workspace=workspace, name=name)
    SkillFactory.create(workspace=workspace, name="off", is_enabled=False)
    result = ask(make_agent(skills_enabled=True, skills=("one", "off")), "two")
    assert result["is_error"]
    assert "['one']" in result["content"]


def test_another_workspaces_skill_is_not_there(
    other_workspace: Workspace, workspace: Workspace, make_agent: AgentMaker
) -> None:
    SkillFactory.create(workspace=other_workspace, name="theirs")
    agent = make_agent(skills_enabled=True)
    assert "Skill" not in tools_of(agent)
    with pytest.raises(AgentNotRunnable, match="theirs"):
        tools_of(make_agent(skills_enabled=True, skills=("theirs",)))


def test_the_deployments_folder_serves_every_workspace(
    ask: Ask, workspace: Workspace, make_agent: AgentMaker, settings, tmp_path
) -> None:
    add_skill(tmp_path, "shared", "Shared text.")
    add_skill(tmp_path, "same", "The deployment's.")
    SkillFactory.create(workspace=workspace, name="same", content={"text": "The workspace's."})
    settings.MASH_SKILLS_DIR = str(tmp_path)
    agent = make_agent(skills_enabled=True)
    assert json.loads(ask(agent, "shared")["content"])["skill_md"] == "Shared text."
    assert json.loads(ask(agent, "same")["content"])["skill_md"] == "The workspace's."


class Guide(AgentSpec):
    def get_agent_id(self) -> str:
        return "guide"

    def build_tools(self) -> ToolRegistry:
        return ToolRegistry()

    def build_skills(self) -> SkillRegistry:
        return SkillRegistry([Skill("custom", "own", text="From code.")])

    def build_llm(self) -> Any:
        return create_provider("demo", model=None)

    def build_agent_config(self) -> AgentConfig:
        return AgentConfig(app_id="guide", system_prompt="Guide.", skills_enabled=True)


def test_a_code_defined_agent_brings_its_own(workspace: Workspace, settings, monkeypatch) -> None:
    monkeypatch.setattr(f"{__name__}.host", HostBuilder().primary(Guide()).build(), raising=False)
    settings.MASH_HOST_APP = f"{__name__}:host"
    assert set(code_agents()) == {"guide"}
    SkillFactory.create(workspace=workspace, name="own", content={"text": "From the workspace."})
    sync_code_agents([workspace])
    agent = workspace.agents.get(agent_id="guide")
    assert agent.current_version
    tool = build_agent(workspace, agent, agent.current_version).tools.get("Skill")
    assert tool is not None
    assert "From code." in tool.execute({"name": "own"}, CONTEXT).content
