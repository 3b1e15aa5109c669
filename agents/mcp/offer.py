"""The tools that an agent gets from servers: listed, held against their pins, named for the model."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from agents.definition import AgentDefinition
from agents.llm.errors import CallStopped
from agents.llm.types import LLMProvider
from agents.mcp.allowed import stdio_is_allowed
from agents.mcp.config import MCPServerConfig
from agents.mcp.errors import McpError
from agents.mcp.manager import Manager, ServerKey
from agents.mcp.models import McpServer
from agents.mcp.names import model_names
from agents.mcp.pins import compare_with_pins, pinned
from agents.mcp.remote_tool import RemoteTool
from agents.mcp.told import Emit, Told
from agents.mcp.tool import McpTool
from agents.models import Agent
from agents.stop_signal import StopSignal
from workspaces.encryption import UnreadableSecret
from workspaces.models import Workspace

_UNKNOWN = "http://unknown"


@dataclass(frozen=True, slots=True)
class _Server:
    row: McpServer
    config: MCPServerConfig
    told: Told

    @property
    def key(self) -> ServerKey:
        return self.row.workspace_id, self.row.pk


@dataclass(frozen=True, kw_only=True)
class AgentServers:
    """Where an agent's servers come from: its definition names some, its code may bring others."""

    workspace: Workspace
    agent: Agent
    definition: AgentDefinition
    from_code: tuple[MCPServerConfig, ...] = ()

    def tools(
        self, llm: LLMProvider, *, taken: Collection[str], emit: Emit | None, stop: StopSignal
    ) -> Iterator[McpTool]:
        """The tools of every server that answers; of the others an `mcp.client.error` tells why they are left out.

        Without `emit` no server is asked: the tools are those that stand pinned.
        """
        found = self._known() if emit is None else self._asked(emit, stop)
        names = model_names([(server.config.name, tool.name) for server, tool in found], taken)
        for server, tool in found:
            yield McpTool(
                name=names[server.config.name, tool.name],
                remote=tool,
                key=server.key,
                config=server.config,
                manager=process_manager(),
                llm=llm,
            )

    def _known(self) -> list[tuple[_Server, RemoteTool]]:
        servers = list(self._servers(_nowhere))
        return [(server, tool) for server in servers for tool in _allowed(server, pinned(server.row))]

    def _asked(self, emit: Emit, stop: StopSignal) -> list[tuple[_Server, RemoteTool]]:
        servers = list(self._servers(emit))
        listings = _listings(servers, stop)
        return [(server, tool) for server in servers for tool in _offered(server, listings.get(server.key, ()))]

    def _servers(self, emit: Emit) -> Iterator[_Server]:
        for row, config in [*self._of_workspace(emit), *self._of_code()]:
            told = Told(emit, config)
            if not row.is_enabled:
                continue
            if config.is_local and not stdio_is_allowed(self.workspace):
                told.client_error("The operator lets this workspace start no process (MASH_MCP_STDIO_WORKSPACES).")
                continue
            yield _Server(row, config, told)

    def _of_workspace(self, emit: Emit) -> Iterator[tuple[McpServer, MCPServerConfig]]:
        names = dict.fromkeys(self.definition.mcp_servers)
        rows = {row.name: row for row in self.workspace.mcp_servers.filter(agent_id="", name__in=names)}
        in_code = {config.name for config in self.from_code}
        for name in names:
            try:
                if name not in in_code:
                    yield rows[name], rows[name].config
                    continue
                fault = "The agent's code brings a server of the same name."
            except KeyError:
                fault = "This workspace has no such server."
            except (UnreadableSecret, ValueError) as error:
                fault = str(error)
            Told(emit, MCPServerConfig(name or "?", _UNKNOWN)).client_error(fault)

    def _of_code(self) -> Iterator[tuple[McpServer, MCPServerConfig]]:
        for config in {config.name: config for config in self.from_code}.values():
            yield self._row_of_code(config), config

    def _row_of_code(self, config: MCPServerConfig) -> McpServer:
        transport = McpServer.Transport.STDIO if config.is_local else McpServer.Transport.HTTP
        about = {"transport": transport, "description": config.description[:1000], "created_at": timezone.now()}
        row, _ = self.workspace.mcp_servers.get_or_create(
            agent_id=self.agent.agent_id, name=config.name, defaults=about
        )
        return row


def process_manager() -> Manager:
    """This process's connections; a fork begins with none, as it must not share its parent's."""
    return _manager(os.getpid())


@cache
def _manager(process_id: int) -> Manager:
    return Manager(lambda: settings.MASH_ALLOWED_PRIVATE_HOSTS)


def _listings(servers: list[_Server], stop: StopSignal) -> Mapping[ServerKey, tuple[RemoteTool, ...]]:
    """Asks all servers at the same time. No database connection is held meanwhile."""
    if not servers:
        return {}
    close_old_connections()
    manager = process_manager()
    asked = [(server, manager.tools(server.key, server.config, server.told)) for server in servers]

    def give_up() -> None:
        for _, future in asked:
            future.cancel()

    with stop.calling(give_up):
        return {server.key: _listing(server, future) for server, future in asked}


def _listing(server: _Server, future: "Future[Any]") -> tuple[RemoteTool, ...]:
    try:
        found: tuple[RemoteTool, ...] = future.result()
    except CancelledError as error:
        raise CallStopped("Stopped while the agent's MCP servers were asked for their tools.") from error
    except McpError as error:
        server.told.client_error(str(error))
        return ()
    return found


def _offered(server: _Server, found: Sequence[RemoteTool]) -> tuple[RemoteTool, ...]:
    offer = compare_with_pins(server.row, _allowed(server, found))
    if offer.withheld:
        some = ", ".join(offer.withheld[:10])
        server.told.client_error(f"{len(offer.withheld)} tools await approval and are not offered: {some}.")
    return offer.tools


def _allowed(server: _Server, found: Sequence[RemoteTool]) -> list[RemoteTool]:
    allowed = server.config.allowed_tools
    names = None if allowed is None else {name.lower() for name in allowed}
    return [tool for tool in found if names is None or tool.name.lower() in names]


def _nowhere(_event_type: str, _payload: Mapping[str, Any]) -> None:
    return None
