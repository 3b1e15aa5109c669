"""Where a server may be: the URL rule, and no way into the private network."""

import pytest

from agents.mcp.config import MCPServerConfig, endpoint
from agents.mcp.names import model_names
from tests.agents.mcp.conftest import Asker, make_server_row, result_of
from tests.agents.mcp.server import HttpServer, serving
from tests.factories import McpServerFactory
from workspaces.models import Workspace


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://a.example", "https://a.example/mcp"),
        ("https://a.example/", "https://a.example/mcp"),
        ("https://a.example/mcp", "https://a.example/mcp"),
        ("https://a.example/mcp/x", "https://a.example/mcp/x"),
        ("https://a.example/api/", "https://a.example/api/mcp"),
        ("https://a.example/api?key=1", "https://a.example/api/mcp?key=1"),
    ],
)
def test_the_url_rule(url: str, asked: str):
    assert endpoint(url) == asked


@pytest.mark.parametrize("host", ["localhost", "[::1]"])
def test_a_private_address_is_not_reached(ask: Asker, workspace: Workspace, http: HttpServer, host: str):
    """The tests allow 127.0.0.1, for the model, and no other name of this machine."""
    McpServerFactory.create(workspace=workspace, name="demo", url=f"http://{host}:{http.port}/mcp")
    agent_request = ask("mcp_demo_echo", text="hi")
    assert agent_request.status == "completed"
    error = agent_request.events.get(event_type="mcp.client.error").payload["error"]
    assert "MASH_ALLOWED_PRIVATE_HOSTS" in error
    assert not http.methods


def test_a_host_may_be_allowed_for_one_port(ask: Asker, workspace: Workspace, http: HttpServer, settings, model):
    model_port = model.url.rpartition(":")[2].partition("/")[0]
    make_server_row(workspace, http)
    settings.MASH_ALLOWED_PRIVATE_HOSTS = ["127.0.0.1", f"localhost:{model_port}"]
    row = McpServerFactory.create(workspace=workspace, name="other", url=f"http://localhost:{http.port}/mcp")
    agent_request = ask("mcp_demo_echo", ("demo", "other"), text="hi")
    assert result_of(agent_request)["content"] == "hi"
    [error] = agent_request.events.filter(event_type="mcp.client.error")
    assert "MASH_ALLOWED_PRIVATE_HOSTS" in error.payload["error"]
    settings.MASH_ALLOWED_PRIVATE_HOSTS = ["127.0.0.1", f"localhost:{http.port}"]
    row.new_tools_need_approval = True
    row.url += "?again"
    row.save()
    assert result_of(ask("mcp_other_echo", text="hi"))["content"] == "hi"


def test_a_user_name_in_the_url_is_refused(ask: Asker, workspace: Workspace, http: HttpServer):
    url = http.url.replace("//", "//user:sesame-0123456789@")
    McpServerFactory.create(workspace=workspace, name="demo", url=url)
    agent_request = ask("mcp_demo_echo", text="hi")
    payload = agent_request.events.get(event_type="mcp.client.error").payload
    assert "user name or password" in payload["error"]
    assert "sesame" not in str(payload)
    assert not http.methods


def test_no_redirect_leads_elsewhere(ask: Asker, workspace: Workspace, http: HttpServer):
    with serving() as inner:
        http.redirect_to = inner.url
        make_server_row(workspace, http)
        agent_request = ask("mcp_demo_echo", text="hi")
        assert "not followed" in agent_request.events.get(event_type="mcp.client.error").payload["error"]
        assert not inner.methods


def test_names_fit_the_providers_and_nobody_takes_anothers():
    pairs = [("My Server!", "a.b/c"), ("my-server", "echo"), ("My_Server", "echo"), ("s", "x" * 100), ("ok", "Tool-1")]
    names = model_names(pairs, taken={"mcp_free_echo"})
    assert names["ok", "Tool-1"] == "mcp_ok_Tool-1"
    assert len(set(names.values())) == len(pairs)
    assert all(len(name) <= 64 and name.replace("-", "_").isidentifier() for name in names.values())
    assert "mcp_my_server_echo" not in names.values(), "Whose it was cannot be told, so nobody has it."
    assert model_names(reversed(pairs)) == model_names(pairs)
    assert model_names([("free", "echo")], taken={"mcp_free_echo"})["free", "echo"].startswith("mcp_free_echo_")


def test_a_configuration_shows_no_secret():
    config = MCPServerConfig(
        "demo", "https://a.example/s/0123456789abcdef/mcp?token=sesame-1", headers={"Authorization": "Bearer sesame-2"}
    )
    assert config.shown_address == "https://a.example/s/…/mcp"
    assert "sesame" not in repr(config).replace(config.url, "")
    said = config.redact("Bearer sesame-2 and sesame-2 and sesame-1 and 0123456789abcdef")
    assert said == "[secret] and [secret] and [secret] and [secret]"
