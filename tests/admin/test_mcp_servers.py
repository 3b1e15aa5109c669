"""MCP servers in the admin: secrets go in encrypted and never come out, and nothing that cannot work is kept."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from agents.models import McpServer
from tests.admin.conftest import SignIn
from tests.factories import McpServerFactory
from workspaces.models import AuditEntry
from workspaces.roles import Role

SECRET = "Bearer sesame-0123456789"
ADD = "admin:agents_mcpserver_add"


@pytest.fixture
def admin_client(sign_in: SignIn):
    return sign_in(Role.ADMIN)


def url_of(server: McpServer, page: str = "change") -> str:
    return reverse(f"admin:agents_mcpserver_{page}", args=[server.pk])


def entered(**values: object) -> dict[str, object]:
    return {
        "name": "search", "transport": "http", "url": "https://search.example.com/mcp", "command": "", "args": "",
        "description": "", "allowed_tools": "", "headers": "", "env": "", "timeout_s": "60", "is_enabled": "on", **values,
    }  # fmt: skip


def test_headers_are_stored_encrypted_and_never_shown(admin_client, workspace):
    headers = f"Authorization: {SECRET}\r\nX-Team: blue"
    answer = admin_client.post(reverse(ADD), entered(workspace=workspace.pk, headers=headers), follow=True)
    server = workspace.mcp_servers.get()
    assert server.headers == {"Authorization": SECRET, "X-Team": "blue"}
    assert "sesame" not in server.encrypted_secrets
    page = admin_client.get(url_of(server)).content.decode()
    assert "Authorization: ••••••, X-Team: ••••••" in page
    for text in (answer.content.decode(), page):
        assert "sesame" not in text
        assert server.encrypted_secrets not in text
    details = [str(entry.details) for entry in AuditEntry.rows.all()]
    logged = list(LogEntry.objects.values_list("change_message", flat=True))
    assert "sesame" not in str([details, logged])
    assert AuditEntry.rows.get(action="mcp_server.added").details["secrets"] == "set"


def test_a_wrong_form_does_not_echo_them(admin_client, workspace):
    values = entered(workspace=workspace.pk, name="", headers=f"Authorization {SECRET}")
    text = admin_client.post(reverse(ADD), values).content.decode()
    assert "Line 1 does not read" in text
    assert SECRET not in text
    assert not workspace.mcp_servers.exists()


def test_they_stay_until_replaced_or_removed_and_belong_to_their_address(admin_client, workspace):
    server = McpServerFactory.create(workspace=workspace, name="search", url="https://search.example.com/mcp")
    server.keep_secrets(headers={"Authorization": SECRET}, env={})
    server.save()
    admin_client.post(url_of(server), entered(timeout_s="30"))
    server.refresh_from_db()
    assert (server.timeout_s, server.headers) == (30, {"Authorization": SECRET})
    elsewhere = entered(url="https://collector.example.com/mcp")
    assert "enter them again" in admin_client.post(url_of(server), elsewhere).content.decode()
    server.refresh_from_db()
    assert server.url == "https://search.example.com/mcp"
    admin_client.post(url_of(server), {**elsewhere, "forget_secrets": "on"})
    server.refresh_from_db()
    assert (server.url, server.headers) == ("https://collector.example.com/mcp", {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": ""},
        {"url": "ftp://x.example"},
        {"url": "https://user:pass@x.example/"},
        {"url": "https://x.example:99999/"},
        {"headers": "Host: other.example"},
        {"headers": "Mcp-Session-Id: 1"},
        {"headers": "X-A: \u00e9"},
        {"env": "1A=x"},
        {"timeout_s": "0"},
        {"timeout_s": "100000"},
        {"transport": "stdio", "command": "python"},
    ],
)
def test_what_cannot_work_is_refused(admin_client, workspace, wrong):
    admin_client.post(reverse(ADD), entered(workspace=workspace.pk, **wrong))
    assert not workspace.mcp_servers.exists()


def test_a_process_needs_the_operators_leave(admin_client, workspace, settings):
    settings.MASH_MCP_STDIO_WORKSPACES = [workspace.slug]
    values = entered(
        workspace=workspace.pk, transport="stdio", url="", command="python", args="-m\r\nserver", env="KEY=a=b"
    )
    admin_client.post(reverse(ADD), values)
    server = workspace.mcp_servers.get()
    assert (server.command, server.args, server.env) == ("python", ["-m", "server"], {"KEY": "a=b"})


def test_a_server_of_code_can_only_be_switched_off(admin_client, workspace):
    server = McpServerFactory.create(workspace=workspace, agent_id="pilot", name="search", url="")
    assert admin_client.get(url_of(server)).status_code == 200
    admin_client.post(url_of(server), {"name": "other", "url": "https://evil.example"})
    server.refresh_from_db()
    assert (server.name, server.url, server.is_enabled) == ("search", "", False)
    assert admin_client.post(url_of(server, "delete"), {"post": "yes"}).status_code == 403


def test_an_agent_names_only_servers_that_are_there(workspace):
    from agents.check import definition_faults
    from agents.definition import AgentDefinition

    McpServerFactory.create(workspace=workspace, name="search")
    faults = definition_faults(workspace, AgentDefinition(mcp_servers=("search", "gone")))
    assert faults == {"mcp_servers": "This workspace has no MCP server gone."}
