"""Who is offered tools that reach the machine, and what they do in a real turn."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from agents.catalogue import offered_tools
from agents.check import definition_faults
from agents.definition import AgentDefinition
from runtime.models import AgentRequest
from tests.admin.conftest import browser_of, make_member
from tests.conftest import AgentMaker, Driver
from tests.web import Web
from workspaces.models import Workspace
from workspaces.roles import Role

FILES = {"read_file", "list_files", "search_files"}


@pytest.fixture
def bash_root(settings) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mash-bash-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        settings.MASH_BASH_ROOT = name
        yield Path(name)


@pytest.fixture
def ask(web: Web, run_requests: Driver, make_agent: AgentMaker):
    def ask(message: str, **definition: object) -> AgentRequest:
        agent = make_agent(**definition)
        web.post(f"/api/v1/agent/{agent.agent_id}/request", {"message": message, "session_id": "s"})
        [agent_request] = run_requests()
        return agent_request

    return ask


def result_of(agent_request: AgentRequest) -> dict[str, Any]:
    result: dict[str, Any] = agent_request.events.get(event_type="runtime.tool.call.completed").payload["result"]
    return result


def test_nobody_is_offered_them_unasked(workspace: Workspace) -> None:
    assert not {"bash", *FILES} & set(offered_tools(workspace))


def test_the_operator_names_who_is(
    workspace: Workspace, other_workspace: Workspace, settings, tmp_path, bash_root
) -> None:
    settings.MASH_BASH_WORKSPACES = settings.MASH_FILES_WORKSPACES = [workspace.slug]
    settings.MASH_FILES_ROOT = str(tmp_path)
    assert {"bash", *FILES} <= set(offered_tools(workspace))
    assert not {"bash", *FILES} & set(offered_tools(other_workspace))
    assert "bash" not in offered_tools()
    for name in ("bash", "read_file"):
        definition = AgentDefinition(tools=(name,))
        assert not definition_faults(workspace, definition)
        assert name in definition_faults(other_workspace, definition)["tools"]
    settings.MASH_BASH_WORKSPACES = ["*"]
    assert "bash" in offered_tools(other_workspace)


def test_bash_in_a_turn(ask, workspace: Workspace, settings, bash_root) -> None:
    settings.MASH_BASH_WORKSPACES = [workspace.slug]
    agent_request = ask('tools=1 tool=bash args={"command": "echo $((6*7)); exit 4"}', tools=("bash",))
    assert agent_request.status == "completed", agent_request.error
    assert result_of(agent_request) == {"content": "42\n", "is_error": False, "metadata": {"exit_code": 4}}


def test_bash_that_is_offered_no_more_does_not_run(ask, workspace: Workspace, settings, bash_root) -> None:
    agent_request = ask('tools=1 tool=bash args={"command": "touch here"}', tools=("bash",))
    assert (agent_request.status, agent_request.error["error_code"]) == ("failed", "agent_not_runnable")
    assert list(bash_root.rglob("here")) == []


def test_a_deadline_ends_bash(
    workspace: Workspace, make_agent: AgentMaker, web: Web, run_requests: Driver, settings, bash_root
) -> None:
    settings.MASH_BASH_WORKSPACES = [workspace.slug]
    agent = make_agent(tools=("bash",), deadline_s=1)
    message = 'tools=1 tool=bash args={"command": "sleep 54321", "timeout": 60}'
    web.post(f"/api/v1/agent/{agent.agent_id}/request", {"message": message, "session_id": "s"})
    began = time.monotonic()
    [agent_request] = run_requests()
    assert (agent_request.status, agent_request.reason) == ("failed", "deadline")
    assert time.monotonic() - began < 5


def test_files_in_a_turn(ask, workspace: Workspace, settings, tmp_path) -> None:
    (tmp_path / "guide.md").write_text("Read me.")
    settings.MASH_FILES_WORKSPACES, settings.MASH_FILES_ROOT = ["*"], str(tmp_path)
    agent_request = ask('tools=1 tool=read_file args={"path": "guide.md"}', tools=("read_file",))
    assert result_of(agent_request)["content"] == "1\tRead me."


def test_the_data_directory_is_not_among_the_files(ask, settings) -> None:
    settings.MASH_FILES_WORKSPACES, settings.MASH_FILES_ROOT = ["*"], str(Path(settings.MASH_DATA_DIR).parent)
    path = f"{Path(settings.MASH_DATA_DIR).name}/static"
    agent_request = ask(f'tools=1 tool=list_files args={{"path": "{path}"}}', tools=("list_files",))
    assert result_of(agent_request)["is_error"]


def test_the_admin_says_when_bash_is_for_trusted_use_only(workspace: Workspace, settings, bash_root) -> None:
    settings.MASH_BASH_WORKSPACES, settings.MASH_BASH_USER = [workspace.slug], "no-such-user"
    page = browser_of(make_member(workspace, Role.DEVELOPER)).get(reverse("admin:agents_agent_add"))
    assert "bash: Run a command" in page.content.decode()
    assert "trusted, single-workspace use only" in page.content.decode()
