"""Agents with servers: each test begins and ends without a connection."""

import json
from collections.abc import Callable, Iterator

import pytest

from agents.mcp import offer
from runtime.models import AgentRequest
from tests.agents.mcp.server import HttpServer, serving
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory, McpServerFactory
from workspaces.models import Workspace

Asker = Callable[..., AgentRequest]


@pytest.fixture(autouse=True)
def _own_connections() -> Iterator[None]:
    yield
    offer.process_manager().close()
    offer._manager.cache_clear()


@pytest.fixture
def http() -> Iterator[HttpServer]:
    with serving() as server:
        yield server


@pytest.fixture
def ask(workspace: Workspace, make_agent: AgentMaker, run_requests: Driver) -> Asker:
    """Has an agent with these servers call a tool through a whole turn."""

    def run(tool: str, servers: tuple[str, ...] = ("demo",), **arguments: object) -> AgentRequest:
        agent = workspace.agents.filter(agent_id="mcp").first() or make_agent(
            row={"agent_id": "mcp"}, mcp_servers=servers
        )
        message = f"tools=1 tool={tool} args={json.dumps(arguments)} say=done"
        agent_request = AgentRequestFactory.create(workspace=workspace, agent=agent, message=message)
        run_requests()
        agent_request.refresh_from_db()
        return agent_request

    return run


def result_of(agent_request: AgentRequest) -> dict[str, object]:
    """What the tool answered, by the log."""
    payload: dict[str, dict[str, object]] = agent_request.events.get(event_type="runtime.tool.call.completed").payload
    return payload["result"]


def told(agent_request: AgentRequest, family: str = "mcp.") -> list[str]:
    """The kinds of the servers' events, in order."""
    kinds = agent_request.events.order_by("sequence").values_list("event_type", flat=True)
    return [kind for kind in kinds if kind.startswith(family)]


def make_server_row(workspace: Workspace, http: HttpServer, name: str = "demo", **values: object):
    return McpServerFactory.create(workspace=workspace, name=name, url=http.url, **values)
