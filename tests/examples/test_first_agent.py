"""The documents' Python, run as it stands: each snippet goes on from those before it, and its host answers."""

import re
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from agents import catalogue
from agents.host import HostBuilder
from tests.conftest import Driver
from tests.factories import AgentRequestFactory
from workspaces.models import Workspace

FIRST_AGENT = "docs/first-agent.md"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks_of(document: str) -> list[str]:
    return _BLOCK.findall((settings.BASE_DIR / document).read_text())


def hosts_of(document: str) -> list[HostBuilder]:
    """What `build_host` gives after each block."""
    names: dict[str, Any] = {"__name__": "my_agents"}
    hosts = []
    for block in blocks_of(document):
        exec(compile(block, document, "exec"), names)
        hosts.append(names["build_host"]())
    return hosts


def test_the_first_agent_has_at_most_30_lines_of_code() -> None:
    assert len([line for line in blocks_of(FIRST_AGENT)[0].splitlines() if line.strip()]) <= 30


@pytest.mark.parametrize("position", range(4))
def test_each_step_of_the_document_answers(
    workspace: Workspace, run_requests: Driver, monkeypatch: pytest.MonkeyPatch, position: int
) -> None:
    hosts = hosts_of(FIRST_AGENT)
    assert len(hosts) == 4
    monkeypatch.setattr(catalogue, "_registered_hosts", [hosts[position].build()])
    catalogue.sync_code_agents([workspace])
    clerk = workspace.agents.get(agent_id="clerk")
    sent = AgentRequestFactory.create(workspace=workspace, agent=clerk, session_id="s", message="What is 17 + 23?")
    run_requests()
    sent.refresh_from_db()
    assert sent.status == "completed"
    assert sent.trace_id
    assert "answered: 40" in workspace.turns.get(turn_id=sent.trace_id).agent_response


def test_the_last_step_has_all_that_the_document_promises(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, api_client: APIClient
) -> None:
    monkeypatch.setattr(catalogue, "_registered_hosts", [hosts_of(FIRST_AGENT)[-1].build()])
    catalogue.sync_code_agents([workspace])
    agents = {row.agent_id: row.definition for row in workspace.agents.all()}
    assert agents["clerk"].tools == ("calculate", "price_of", "order")
    assert agents["poet"].display_name == "Poet"


def test_the_agent_of_the_readme_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test-0123456789")
    [host] = hosts_of("README.md")
    assert host.build().list_agents() == ["support"]
