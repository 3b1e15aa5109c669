"""Which agents and tools the deployment's code offers, and how they get into every workspace."""

import importlib
import logging
from collections.abc import Callable, Container, Iterable
from functools import cache, partial
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import module_has_submodule

from agents.definition import AgentDefinition
from agents.host import AgentHost, HostBuilder, RegisteredSpec
from agents.memory.runtime_tools import RuntimeToolBuilder
from agents.models import Agent, AgentQuerySet
from agents.operator_tools import allowed_tools
from agents.starter import STARTER_ID
from agents.tools.ask_user import AskUserTool
from agents.tools.base import Tool
from agents.tools.basics import basic_tools
from agents.versions import save_version
from workspaces.models import Workspace

logger = logging.getLogger(__name__)

_offered_tools: dict[str, Callable[[], Tool]] = {}
_registered_hosts: list[AgentHost] = []


def offer_tool(tool: Tool) -> Tool:
    """Lets agents that are defined in the admin choose this tool. Call it in an installed app's `agents.py`."""
    _offered_tools[tool.name] = partial(_same, tool)
    return tool


def register_agents(host: AgentHost | HostBuilder) -> None:
    """Adds an app's agents to every workspace. Call it in an installed app's `agents.py`."""
    _registered_hosts.append(host.build() if isinstance(host, HostBuilder) else host)


def offered_tools(workspace: Workspace | None = None) -> dict[str, Callable[[], Tool]]:
    """Tools that an admin may choose, by name: those for everybody, and those that the operator allows this workspace."""
    load_apps()
    allowed = allowed_tools(workspace) if workspace else []
    return {**_basic_tools(), **_offered_tools, **{tool.name: partial(_same, tool) for tool in allowed}}


def code_agents() -> dict[str, RegisteredSpec]:
    """Every agent that code defines, by id, the primary one first."""
    load_apps()
    agents: dict[str, RegisteredSpec] = {}
    hosts = ([load_host(settings.MASH_HOST_APP)] if settings.MASH_HOST_APP else []) + _registered_hosts
    for agent in (agent for host in hosts for agent in host.agents):
        if agent.agent_id in agents:
            raise ImproperlyConfigured(f"Two hosts define an agent {agent.agent_id!r}.")
        agents[agent.agent_id] = agent
    return agents


@cache
def load_host(path: str) -> AgentHost:
    """Resolves `module:attribute`: a host, a builder, or a callable that makes one; else a `ValueError`."""
    module_name, _, attribute = path.partition(":")
    if not module_name or not attribute:
        raise ValueError(f"MASH_HOST_APP must read module:attribute, not {path!r}.")
    target: Any = getattr(importlib.import_module(module_name), attribute, None)
    if target is None:
        raise ValueError(f"{module_name} has no attribute {attribute!r}.")
    if callable(target) and not isinstance(target, (AgentHost, HostBuilder)):
        target = target()
    if isinstance(target, HostBuilder):
        target = target.build()
    if not isinstance(target, AgentHost):
        raise ValueError(f"{path} gives {type(target).__name__}, not a host.")
    return target


def sync_code_agents(workspaces: Iterable[Workspace]) -> None:
    """Gives each workspace a row for every code-defined agent; runs at every start and for each new workspace."""
    agents = code_agents()
    for workspace in workspaces:
        _put_aside(workspace, agents)
        for position, registered in enumerate(agents.values()):
            _sync_agent(workspace, registered, position)


def _put_aside(workspace: Workspace, agents: Container[str]) -> None:
    """Agents whose code is not here take no requests until it is back; the starter stands in for a primary one."""
    present = workspace.agents.filter(source=Agent.Source.CODE, is_gone=False)
    gone = [agent for agent in present if agent.agent_id not in agents]
    for agent in gone:
        logger.warning("Agent %s of %s is no longer defined in code", agent.agent_id, workspace)
    with transaction.atomic():
        workspace.agents.filter(pk__in=[agent.pk for agent in gone]).update(is_gone=True, role=Agent.Role.SUBAGENT)
        if any(agent.role == Agent.Role.PRIMARY for agent in gone):
            _unedited_starter(workspace).update(role=Agent.Role.PRIMARY)


def code_definition(registered: RegisteredSpec, overrides: dict[str, Any]) -> AgentDefinition:
    """What the spec says, as data, with the workspace's overrides on top."""
    config, llm, metadata = registered.spec.build_agent_config(), registered.spec.build_llm(), registered.metadata
    values: dict[str, Any] = {
        name: getattr(config, name) for name in AgentDefinition.model_fields if hasattr(config, name)
    }
    if metadata is not None:
        values |= {name: getattr(metadata, name) for name in ("display_name", "description", "usage_guidance")}
        values["capabilities"] = tuple(metadata.capabilities)
    values |= {"provider": llm.provider, "model": llm.model}
    values["tools"] = tuple(tool.name for tool in registered.spec.build_tools().list_tools())
    values["memory_tools"] = registered.spec.enable_runtime_tools()
    return AgentDefinition.model_validate(values | overrides)


def _sync_agent(workspace: Workspace, registered: RegisteredSpec, position: int) -> None:
    agent = workspace.agents.filter(agent_id=registered.agent_id).first()
    if agent is None:
        agent = workspace.agents.create(
            agent_id=registered.agent_id,
            source=Agent.Source.CODE,
            is_gone=True,
            position=position,
            created_at=timezone.now(),
        )
    elif agent.source != Agent.Source.CODE:
        logger.warning(
            "Workspace %s has an agent %s of its own; the one in code is left out", workspace, agent.agent_id
        )
        return
    save_version(agent, code_definition(registered, agent.overrides), actor="code", note="From code")
    if agent.is_gone:
        workspace.agents.filter(pk=agent.pk).update(is_gone=False)
        if registered.is_worker:
            workspace.agents.filter(pk=agent.pk).update(role=Agent.Role.WORKER)
        elif registered.metadata is None:
            _make_primary(workspace, agent)


def _unedited_starter(workspace: Workspace) -> AgentQuerySet:
    return workspace.agents.filter(agent_id=STARTER_ID, current_version__author=None)


def _make_primary(workspace: Workspace, agent: Agent) -> None:
    """Code that names a primary agent takes the role over from a starter agent that nobody has edited, and from no other."""
    with transaction.atomic():
        _unedited_starter(workspace).filter(role=Agent.Role.PRIMARY).update(role=Agent.Role.SUBAGENT)
        if not workspace.agents.filter(role=Agent.Role.PRIMARY).exists():
            workspace.agents.filter(pk=agent.pk).update(role=Agent.Role.PRIMARY)


@cache
def _basic_tools() -> dict[str, Callable[[], Tool]]:
    """Made once: reading type hints and docstrings takes longer than a tool's work."""
    return {tool.name: partial(_same, tool) for tool in (*basic_tools(), AskUserTool(), *RuntimeToolBuilder().all())}


def _same(tool: Tool) -> Tool:
    return tool


@cache
def load_apps() -> None:
    """Imports every installed app's `agents.py`, which registers what the app offers."""
    for app in apps.get_app_configs():
        if app.name != "agents" and app.module and module_has_submodule(app.module, "agents"):
            importlib.import_module(f"{app.name}.agents")
