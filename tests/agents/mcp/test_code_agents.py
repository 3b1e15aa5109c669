"""Servers that an agent brings in its code: pinned like others, and switched off in the admin."""

import pytest
from typing_extensions import override

from agents import catalogue
from agents.build import build_agent
from agents.host import HostBuilder
from agents.llm.demo import DemoProvider
from agents.mcp.config import MCPServerConfig
from agents.spec import AgentConfig, AgentSpec
from agents.tools.ask_user import AskUserTool
from agents.tools.call import call_tool
from agents.tools.context import ToolContext
from agents.tools.registry import ToolRegistry
from tests.agents.mcp.server import HttpServer
from workspaces.models import Workspace


class Coded(AgentSpec):
    url = ""

    @override
    def get_agent_id(self) -> str:
        return "coded"

    @override
    def build_tools(self) -> ToolRegistry:
        return ToolRegistry([AskUserTool()])

    @override
    def build_llm(self) -> DemoProvider:
        return DemoProvider()

    @override
    def build_agent_config(self) -> AgentConfig:
        return AgentConfig(app_id="coded", system_prompt="From code.")

    @override
    def build_mcp_servers(self) -> list[MCPServerConfig]:
        return [MCPServerConfig("Files & more", self.url, headers={"X-Key": "sesame-123"}, allowed_tools=["echo"])]


def test_an_agent_in_code_brings_its_servers(
    workspace: Workspace, http: HttpServer, monkeypatch: pytest.MonkeyPatch, transactional_db: None
):
    monkeypatch.setattr(Coded, "url", http.url)
    monkeypatch.setattr(catalogue, "_registered_hosts", [HostBuilder().primary(Coded()).build()])
    catalogue.sync_code_agents([workspace])
    agent = workspace.agents.get(agent_id="coded")
    told: list[str] = []

    def names() -> list[str]:
        runnable = build_agent(
            workspace, agent, agent.current_version, emit=lambda event_type, _: told.append(event_type)
        )
        return [tool.name for tool in runnable.tools.list_tools()]

    assert names() == ["AskUser", "search_conversations", "get_full_turn_message", "mcp_files___more_echo"]
    assert told == ["mcp.client.connect", "mcp.client.connected"]
    assert {headers["x-key"] for headers in http.headers} == {"sesame-123"}
    server = workspace.mcp_servers.get()
    assert (server.agent_id, server.name, server.encrypted_secrets) == ("coded", "Files & more", "")
    assert [pin.name for pin in server.pins.all()] == ["echo"]

    runnable = build_agent(workspace, agent, agent.current_version, emit=lambda *_: None)
    context = ToolContext(workspace="w", agent_id="coded", session_id="s", request_id="r", idempotency_key="k")
    tool = runnable.tools.get("mcp_files___more_echo")
    assert (tool.parallel_safe, tool.crash_policy, tool.requires_approval) == (True, "idempotent", False)
    answer = call_tool(runnable.tools, tool.name, {"text": "hi"}, invalid_arguments=None, context=context)
    assert (answer.content, answer.is_error) == ("hi", False)

    server.is_enabled = False
    server.save()
    assert names() == ["AskUser", "search_conversations", "get_full_turn_message"]
