"""Servers that stall, flood or list nonsense: only their own tools suffer."""

import socket
import threading
import time
from contextlib import contextmanager

import mcp_types
import pytest
from django.core.management import call_command
from mcp.server.mcpserver import Context

from agents.build import build_agent
from agents.llm.errors import CallStopped
from agents.mcp import connection as connection_module
from agents.mcp import offer
from agents.mcp.listing import MAX_TOOLS, usable
from agents.stop_signal import StopSignal
from tests.agents.mcp.conftest import Asker, make_server_row, result_of
from tests.agents.mcp.server import HttpServer, make_server, serving
from tests.conftest import AgentMaker
from tests.factories import McpServerFactory
from workspaces.models import Workspace


@contextmanager
def silent_server():
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=20) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"


def test_a_silent_server_costs_the_first_turn_its_patience_and_the_next_nothing(
    ask: Asker, workspace: Workspace, http: HttpServer, monkeypatch
):
    monkeypatch.setattr(connection_module, "HANDSHAKE_S", 3.0)
    make_server_row(workspace, http)
    with silent_server() as url:
        McpServerFactory.create(workspace=workspace, name="silent", url=url)
        servers = ("silent", "demo")
        first = ask("mcp_demo_echo", servers, text="one")
        began = time.monotonic()
        second = ask("mcp_demo_echo", servers, text="two")
        assert time.monotonic() - began < 2.9
    for agent_request, text in ((first, "one"), (second, "two")):
        assert result_of(agent_request)["content"] == text
        error = agent_request.events.get(event_type="mcp.client.error").payload
        assert error["server_name"] == "silent"
        assert error["error"].startswith("The server did not answer in time.")


def test_a_request_that_is_stopped_does_not_wait_for_a_silent_server(
    workspace: Workspace, make_agent: AgentMaker, transactional_db
):
    with silent_server() as url:
        McpServerFactory.create(workspace=workspace, name="silent", url=url)
        agent, stop = make_agent(mcp_servers=("silent",)), StopSignal()
        timer = threading.Timer(0.3, stop.set, ("cancelled",))
        timer.start()
        began = time.monotonic()
        with pytest.raises(CallStopped):
            build_agent(workspace, agent, agent.current_version, emit=lambda *_: None, stop=stop)
        assert time.monotonic() - began < 5
        timer.join()


def test_a_flood_ends_the_connection_and_nothing_else(ask: Asker, workspace: Workspace, http: HttpServer):
    server = make_server()

    @server.tool()
    async def flood(ctx: Context) -> str:
        """Send without end."""
        while True:
            await ctx.session.send_tool_list_changed()

    with serving(server, is_old=True) as noisy:
        make_server_row(workspace, noisy, name="noisy", timeout_s=20)
        make_server_row(workspace, http)
        servers = ("noisy", "demo")
        flooded = ask("mcp_noisy_flood", servers)
        assert result_of(flooded)["content"] == "The server sent too many messages."
        assert result_of(ask("mcp_demo_echo", servers, text="calm"))["content"] == "calm"


def test_offline_the_tools_are_those_that_stand_pinned(ask: Asker, workspace: Workspace, http: HttpServer, capsys):
    make_server_row(workspace, http, allowed_tools=["echo"])
    agent_request = ask("mcp_demo_echo", text="one")
    offer.process_manager().close()
    offer._manager.cache_clear()
    http.methods.clear()
    runnable = build_agent(workspace, agent_request.agent, agent_request.agent_version)
    assert [tool.name for tool in runnable.tools.list_tools()][-1] == "mcp_demo_echo"
    call_command("mash_replay", str(agent_request.request_id))
    assert not http.methods
    assert "The loop goes the same way" in capsys.readouterr().out


def listed(name: str, **values: object) -> mcp_types.Tool:
    return mcp_types.Tool(**{"name": name, "input_schema": {"type": "object"}, "description": "x", **values})


def test_only_what_can_be_offered_is_taken_from_a_listing():
    tools = [
        listed("good"),
        listed("good", description="A second one of the name."),
        listed(""),
        listed("n" * 201),
        listed("broken", input_schema={"type": "object", "properties": 7}),
        listed("vast", input_schema={"type": "object", "properties": {"x" * 70_000: {}}}),
        listed("long", description="d" * 100_000),
        listed("nul", description="a\x00b\ud800"),
    ]
    found = {tool.name: tool for tool in usable(tools)}
    assert set(found) == {"good", "long", "nul"}
    assert found["good"].definition["description"] == "x"
    assert len(found["long"].definition["description"]) == 8_000
    assert found["nul"].definition["description"] == "ab?"


def test_a_listing_without_end_is_cut(ask: Asker, workspace: Workspace, model):
    server = make_server()
    for number in range(300):
        server.add_tool(lambda: "x", name=f"tool_{number}", description="One of many.", structured_output=False)
    with serving(server) as http:
        make_server_row(workspace, http)
        ask("mcp_demo_echo", text="one")
    offered = [tool["name"] for tool in model.requests()[0]["body"]["tools"] if tool["name"].startswith("mcp_")]
    assert len(offered) == MAX_TOOLS
