"""A whole turn with a real server: listed, named, called, told in the log."""

from benchmarks.model_server import ModelServer
from tests.agents.mcp.conftest import Asker, make_server_row, result_of, told
from tests.agents.mcp.server import HttpServer
from workspaces.models import Workspace


def test_a_tool_of_a_server_is_called_and_told(ask: Asker, workspace: Workspace, http: HttpServer, model: ModelServer):
    make_server_row(workspace, http)
    agent_request = ask("mcp_demo_echo", text="hello there")
    assert agent_request.status == "completed"
    result = result_of(agent_request)
    print(result)
    assert "hello there" in str(result)
    assert told(agent_request) == ["mcp.client.connect", "mcp.client.connected", "mcp.tool.call", "mcp.tool.result"]
    offered = {tool["name"]: tool for tool in model.requests()[0]["body"]["tools"]}
    assert offered["mcp_demo_echo"]["input_schema"]["properties"]["text"]["type"] == "string"
    assert offered["mcp_demo_echo"]["description"] == "Give the text back."
