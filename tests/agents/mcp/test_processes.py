"""Servers over pipes: only where the operator lets a workspace start them, and with nothing of ours in their surroundings."""

import os
import sys
from pathlib import Path

import pytest

from tests.agents.mcp import server as server_module
from tests.agents.mcp.conftest import Asker, result_of, told
from tests.factories import McpServerFactory
from workspaces.models import Workspace

SCRIPT = Path(server_module.__file__)


@pytest.fixture
def process(workspace: Workspace, settings):
    settings.MASH_MCP_STDIO_WORKSPACES = [workspace.slug]
    row = McpServerFactory.create(
        workspace=workspace, name="demo", transport="stdio", url="", command=sys.executable, args=[str(SCRIPT)]
    )
    row.keep_secrets(headers={}, env={"SERVER_KEY": "sesame-0123456789"})
    row.save()
    return row


def test_a_process_sees_only_what_it_is_given(ask: Asker, process, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-operator")
    content = str(result_of(ask("mcp_demo_environment"))["content"])
    names, _, directory = content.partition(" in ")
    assert set(names.split()) <= {"HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "SERVER_KEY", "LC_CTYPE"}
    assert "SERVER_KEY" in names
    assert os.getcwd() not in directory
    assert os.environ["MASH_DATA_DIR"] not in directory


def test_a_process_that_dies_is_started_again(ask: Asker, process):
    dead = ask("mcp_demo_die")
    assert (result_of(dead)["is_error"], dead.status) == (True, "completed")
    again = ask("mcp_demo_echo", text="alive")
    assert result_of(again)["content"] == "alive"
    assert told(again)[:2] == ["mcp.client.connect", "mcp.client.connected"]


@pytest.mark.parametrize("allowed", [[], ["another-workspace"]])
def test_without_the_operators_leave_nothing_is_started(ask: Asker, process, settings, allowed, tmp_path):
    settings.MASH_MCP_STDIO_WORKSPACES = allowed
    process.command, process.args = "/usr/bin/touch", [str(tmp_path / "started")]
    process.save()
    agent_request = ask("mcp_demo_echo", text="hi")
    assert told(agent_request) == ["mcp.client.error"]
    assert "MASH_MCP_STDIO_WORKSPACES" in agent_request.events.get(event_type="mcp.client.error").payload["error"]
    assert not (tmp_path / "started").exists()


def test_a_program_that_is_not_there_is_told(ask: Asker, process):
    process.command = "/nowhere/at-all"
    process.save()
    agent_request = ask("mcp_demo_echo", text="hi")
    error = agent_request.events.get(event_type="mcp.client.error").payload
    assert (error["error"], error["server_url"]) == ("The server could not be started.", "stdio:at-all")
