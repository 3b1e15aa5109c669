import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typing_extensions import override

from agents import catalogue
from agents.agent_file import InvalidAgentFile, read_agent_file
from agents.catalogue import sync_code_agents
from agents.host import HostBuilder
from agents.llm import LLMProvider
from agents.llm.demo import DemoProvider
from agents.models import Agent
from agents.spec import AgentConfig, AgentSpec
from agents.tools.registry import ToolRegistry
from tests.commands.conftest import Said
from tests.factories import AgentFactory, WorkspaceFactory
from workspaces.models import Workspace

Run = Callable[..., Said]


class Librarian(AgentSpec):
    @override
    def get_agent_id(self) -> str:
        return "librarian"

    @override
    def build_tools(self) -> ToolRegistry:
        return ToolRegistry([])

    @override
    def build_llm(self) -> LLMProvider:
        return DemoProvider()

    @override
    def build_agent_config(self) -> AgentConfig:
        return AgentConfig(app_id="librarian", system_prompt="Find books.", max_steps=9)


@pytest.fixture
def librarian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_registered_hosts", [HostBuilder().primary(Librarian()).build()])


@pytest.fixture
def source(db: None) -> Workspace:
    workspace = WorkspaceFactory.create(slug="source")
    AgentFactory.create(
        workspace=workspace,
        agent_id="assistant",
        role=Agent.Role.PRIMARY,
        definition={"system_prompt": "Be brief.\nBe kind: `yes`, #no.", "tools": ["calculate"], "deadline_s": 60},
    )
    AgentFactory.create(workspace=workspace, agent_id="helper", is_enabled=False, definition={"max_steps": 5})
    return workspace


@pytest.fixture
def target(db: None) -> Workspace:
    return WorkspaceFactory.create(slug="target")


@pytest.fixture
def file(run: Run, source: Workspace, tmp_path: Path) -> Path:
    path = tmp_path / "agents.yaml"
    assert run("mash_agents", "export", "--workspace", "source", "--output", str(path)).code == 0
    return path


def test_what_was_exported_is_imported_unchanged(run: Run, source: Workspace, target: Workspace, file: Path) -> None:
    said = run("mash_agents", "import", str(file), "--workspace", "target")
    assert said.code == 0, said.err
    for agent in source.agents.all():
        copy = target.agents.get(agent_id=agent.agent_id)
        assert (copy.definition, copy.role, copy.is_enabled) == (agent.definition, agent.role, agent.is_enabled)
    assert run("mash_agents", "export", "--workspace", "target").out == file.read_text()
    again = json.loads(run("mash_agents", "import", str(file), "--workspace", "target", "--json").out)
    assert [change["change"] for change in again] == ["unchanged", "unchanged"]
    assert target.agents.get(agent_id="assistant").versions.count() == 1


def test_a_dry_run_shows_the_change_and_makes_none(run: Run, source: Workspace, file: Path) -> None:
    file.write_text(file.read_text().replace("max_steps: 5", "max_steps: 6"))
    said = run("mash_agents", "import", str(file), "--workspace", "source", "--dry-run")
    assert "-    max_steps: 5" in said.out.replace("-  max", "-    max")
    assert "helper: changed" in said.out
    assert "assistant: unchanged" in said.out
    helper = source.agents.get(agent_id="helper")
    assert (helper.definition.max_steps, helper.versions.count()) == (5, 1)
    run("mash_agents", "import", str(file), "--workspace", "source")
    assert source.agents.get(agent_id="helper").definition.max_steps == 6


def test_the_primary_agent_may_change_places(run: Run, source: Workspace, file: Path) -> None:
    content = yaml.safe_load(file.read_text())
    content["agents"][0]["role"], content["agents"][1]["role"] = "subagent", "primary"
    file.write_text(yaml.safe_dump(content))
    assert run("mash_agents", "import", str(file), "--workspace", "source").code == 0
    assert source.agents.get(role=Agent.Role.PRIMARY).agent_id == "helper"


def test_a_second_primary_agent_is_refused(run: Run, target: Workspace, file: Path) -> None:
    AgentFactory.create(workspace=target, agent_id="boss", role=Agent.Role.PRIMARY)
    said = run("mash_agents", "import", str(file), "--workspace", "target")
    assert (said.code, "boss is the primary agent here" in said.err) == (1, True)
    assert [agent.agent_id for agent in target.agents.all()] == ["boss"]


def test_an_import_is_all_or_nothing(run: Run, target: Workspace, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import agents.transfer as transfer

    genuine, calls = transfer._write, []

    def fail_on_the_second(*args: object, **kwargs: object) -> None:
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("the disk is full")
        genuine(*args, **kwargs)

    monkeypatch.setattr(transfer, "_write", fail_on_the_second)
    with pytest.raises(RuntimeError):
        run("mash_agents", "import", str(file), "--workspace", "target")
    assert not target.agents.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("agents:\n- agent_id: a\n  definition:\n    max_steps: 0\n", "line 4: agents.1.definition.max_steps"),
        ("agents:\n- agent_id: a\n  colour: red\n  definition: {}\n", "line 3: agents.1.colour"),
        ("agents:\n- agent_id: a\n", "line 2: agents.1: give either"),
        ("agents:\n- agent_id: a/b\n  definition: {}\n", "line 2: agents.1.agent_id"),
        ("agents:\n- agent_id: a\n  agent_id: b\n  definition: {}\n", "line 3: agent_id is given twice"),
        ("agents:\n- agent_id: a\n  overrides: {max_steps: many}\n", "line 3: agents.1.overrides: max_steps"),
        ("agents: [\n", "line 2: this is not YAML"),
        ("", "Input should be a valid dictionary"),
        ("agents: !!python/object/apply:os.system [ls]\n", "this is not YAML"),
        ("agents:\n- {agent_id: a, definition: {}}\n- {agent_id: a, definition: {}}\n", "repeated: a"),
        (
            "agents:\n- {agent_id: a, role: primary, definition: {}}\n- {agent_id: b, role: primary, definition: {}}\n",
            "one primary agent",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(InvalidAgentFile) as caught:
        read_agent_file(text)
    assert told in str(caught.value)


def test_what_would_not_run_is_imported_with_a_warning(run: Run, target: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "agents.yaml"
    file.write_text(
        "agents:\n- agent_id: a\n  definition: {provider: anthropic, credential: main, tools: [fly, calculate]}\n"
    )
    said = run("mash_agents", "import", str(file), "--workspace", "target")
    assert said.code == 0
    assert "does not offer the tools fly" in said.err
    assert "no credential named 'main'" in said.err


def test_agents_of_the_code_travel_as_overrides(
    run: Run, source: Workspace, target: Workspace, tmp_path: Path, librarian: None
) -> None:
    sync_code_agents([source, target])
    source.agents.filter(agent_id="librarian").update(overrides={"max_steps": 4})
    exported = yaml.safe_load(run("mash_agents", "export", "librarian", "--workspace", "source").out)
    assert exported == {
        "agents": [{"agent_id": "librarian", "role": "primary", "enabled": True, "overrides": {"max_steps": 4}}]
    }
    file = tmp_path / "agents.yaml"
    file.write_text(yaml.safe_dump(exported))
    said = run("mash_agents", "import", str(file), "--workspace", "target")
    assert said.code == 0, said.err
    copy = target.agents.get(agent_id="librarian")
    assert (copy.source, copy.definition.max_steps, copy.definition.system_prompt) == ("code", 4, "Find books.")


def test_an_agent_of_the_code_cannot_be_defined_anew(
    run: Run, target: Workspace, tmp_path: Path, librarian: None
) -> None:
    file = tmp_path / "agents.yaml"
    file.write_text("agents:\n- agent_id: librarian\n  definition: {}\n- agent_id: ghost\n  overrides: {}\n")
    said = run("mash_agents", "import", str(file), "--workspace", "target")
    assert said.code == 1
    assert "line 2: librarian is defined in code here" in said.err
    assert "line 4: No code defines ghost" in said.err


def test_an_unknown_agent_cannot_be_exported(run: Run, source: Workspace) -> None:
    said = run("mash_agents", "export", "nobody", "--workspace", "source")
    assert (said.code, "no agent 'nobody'" in said.err) == (1, True)


def test_a_file_that_is_not_there_is_told(run: Run, target: Workspace) -> None:
    said = run("mash_agents", "import", "/nowhere/agents.yaml", "--workspace", "target")
    assert (said.code, "cannot be read" in said.err) == (1, True)
