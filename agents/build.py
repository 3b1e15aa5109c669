"""Makes an agent ready to run from one of its versions."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import httpx2
from django.conf import settings

from agents.catalogue import code_agents, offered_tools
from agents.definition import AgentDefinition
from agents.delegation import find_subagents
from agents.llm.catalogue import create_provider
from agents.llm.errors import LLMError
from agents.llm.types import LLMProvider, LLMToolDefinition
from agents.loop import ToolRules
from agents.memory.tools import memory_tools
from agents.models import Agent, AgentVersion
from agents.skill_choice import skills_of
from agents.skills.registry import SkillRegistry
from agents.skills.tool import SkillTool
from agents.spec import SubAgentMetadata
from agents.stop_signal import StopSignal
from agents.tools.ask_user import ASK_USER
from agents.tools.base import CrashPolicy
from agents.tools.registry import ToolRegistry
from agents.tools.subagent import INVOKE_SUBAGENT, InvokeSubagentTool, delegation_prompt
from workspaces.errors import MashError
from workspaces.models import Workspace
from workspaces.outbound import guarded_client
from workspaces.scoping import only

logger = logging.getLogger(__name__)


class AgentNotRunnable(MashError):
    """The agent's definition asks for something that is not there: a tool, a credential, code."""

    code = "agent_not_runnable"
    status = 409


@dataclass(frozen=True, kw_only=True)
class RunnableAgent:
    agent_id: str
    definition: AgentDefinition
    llm: LLMProvider
    tools: ToolRegistry
    fallback_llm: LLMProvider | None = None
    """Asked when `llm` is down."""
    subagents: Mapping[str, SubAgentMetadata] = field(default_factory=dict)
    approval_policy: frozenset[str] = frozenset()
    """Names of tools that the agent or its workspace wants approved; `*` means all."""

    @cached_property
    def rules(self) -> ToolRules:
        """What the loop must know of the tools."""
        tools = [tool for tool in self.tools.list_tools() if tool.name not in {ASK_USER, INVOKE_SUBAGENT}]
        named = [*(tool.name for tool in tools), *([INVOKE_SUBAGENT] if INVOKE_SUBAGENT in self.tools else [])]
        wanted = {name for name in named if "*" in self.approval_policy or name in self.approval_policy}
        return ToolRules(
            parallel_safe=frozenset(tool.name for tool in tools if tool.parallel_safe),
            needs_approval=frozenset(wanted | {tool.name for tool in tools if tool.requires_approval}),
            may_ask=ASK_USER in self.tools,
            may_delegate=INVOKE_SUBAGENT in self.tools,
        )

    def crash_policy(self, tool_name: str) -> CrashPolicy:
        """What to do with a call of the tool that a lost worker had begun; a tool that is gone cannot be run again."""
        tool = self.tools.get(tool_name)
        return tool.crash_policy if tool else "at_most_once"

    @cached_property
    def tool_definitions(self) -> list[LLMToolDefinition]:
        return [_definition(tool.to_llm_format()) for tool in self.tools.list_tools()]

    def system_prompt(self, extra: str) -> str | list[dict[str, Any]]:
        """The agent's prompt, what it must know of its subagents, and a request's own `context` after it."""
        prompt = self.definition.system_prompt
        additions = [delegation_prompt(self.subagents)] if self.subagents else []
        additions += [extra] if extra else []
        if isinstance(prompt, str):
            return "\n\n".join([prompt, *additions])
        return [*prompt, *({"type": "text", "text": addition} for addition in additions)]


Emit = Callable[[str, Mapping[str, Any]], None]


def build_agent(
    workspace: Workspace,
    agent: Agent,
    version: AgentVersion,
    *,
    depth: int = 0,
    emit: Emit | None = None,
    stop: StopSignal | None = None,
) -> RunnableAgent:
    """The agent as its version describes it; raises `AgentNotRunnable` when something is missing.

    `depth` says how many delegations lie above it, which may leave it without subagents of its own. With `emit`, which
    takes the events of it, its MCP servers are asked for their tools; without, it gets those that are known.
    """
    definition = version.typed_definition
    if agent.source == Agent.Source.CODE:
        llm, tools = _from_code(workspace, agent, definition)
    else:
        llm, tools = _provider(workspace, definition), _chosen_tools(workspace, definition)
    if definition.memory_tools:
        _add_memory_tools(tools)
    _add_mcp_tools(workspace, agent, definition, llm, tools, emit=emit, stop=stop or StopSignal())
    subagents = find_subagents(workspace, agent, definition, depth=depth)
    if subagents:
        tools.register(InvokeSubagentTool(subagents))
    return RunnableAgent(
        agent_id=agent.agent_id,
        definition=definition,
        llm=llm,
        fallback_llm=_fallback(workspace, definition),
        tools=tools,
        subagents=subagents,
        approval_policy=frozenset({*definition.requires_approval, *workspace.tools_requiring_approval}),
    )


def _from_code(workspace: Workspace, agent: Agent, definition: AgentDefinition) -> tuple[LLMProvider, ToolRegistry]:
    registered = code_agents().get(agent.agent_id)
    if registered is None:
        raise AgentNotRunnable(f"The code that defines {agent.agent_id} is not part of this deployment.")
    overridden = {"provider", "model", "credential"} & set(agent.overrides)
    llm = _provider(workspace, definition) if overridden else registered.spec.build_llm()
    tools = registered.spec.build_tools()
    _add_skills(tools, workspace, definition, registered.spec.build_skills())
    return llm, tools


def _add_mcp_tools(
    workspace: Workspace,
    agent: Agent,
    definition: AgentDefinition,
    llm: LLMProvider,
    tools: ToolRegistry,
    *,
    emit: Emit | None,
    stop: StopSignal,
) -> None:
    registered = code_agents().get(agent.agent_id) if agent.source == Agent.Source.CODE else None
    from_code = tuple(registered.spec.build_mcp_servers()) if registered else ()
    if not (definition.mcp_servers or from_code):
        return
    # The SDK takes a second to import, which processes that need no server are spared.
    from agents.mcp.offer import AgentServers

    servers = AgentServers(workspace=workspace, agent=agent, definition=definition, from_code=from_code)
    taken = {tool.name for tool in tools.list_tools()}
    for tool in servers.tools(llm, taken=taken, emit=emit, stop=stop):
        tools.register(tool)


def _chosen_tools(workspace: Workspace, definition: AgentDefinition) -> ToolRegistry:
    offered = offered_tools(workspace)
    if missing := [name for name in definition.tools if name not in offered]:
        raise AgentNotRunnable(f"This deployment does not offer the tools {', '.join(missing)} here.")
    tools = ToolRegistry(offered[name]() for name in definition.tools)
    _add_skills(tools, workspace, definition, SkillRegistry())
    return tools


def _add_skills(tools: ToolRegistry, workspace: Workspace, definition: AgentDefinition, own: SkillRegistry) -> None:
    """`Skill` comes right after the agent's own tools (contract 5.10), if it has any skill."""
    try:
        skills = skills_of(workspace, definition, own)
        if len(skills):
            tools.register(SkillTool(skills))
    except (LookupError, ValueError) as error:
        raise AgentNotRunnable(str(error.args[0])) from error


def _add_memory_tools(tools: ToolRegistry) -> None:
    """A tool of the agent's own that has the same name stays."""
    for tool in memory_tools():
        if tool.name not in tools:
            tools.register(tool)


def _provider(workspace: Workspace, definition: AgentDefinition) -> LLMProvider:
    return _built_provider(workspace, definition.provider, definition.model, definition.credential)


def _fallback(workspace: Workspace, definition: AgentDefinition) -> LLMProvider | None:
    """What answers when the first provider is down. One that cannot be built must not stop an agent whose own works."""
    if not definition.fallback_provider:
        return None
    try:
        return _built_provider(
            workspace, definition.fallback_provider, definition.fallback_model, definition.fallback_credential
        )
    except (AgentNotRunnable, LLMError) as error:
        logger.warning("A fallback model cannot be used: %s", error, extra={"action": "fallback.unusable"})
        return None


def _built_provider(workspace: Workspace, kind: str, model: str, credential_name: str) -> LLMProvider:
    """The model behind the workspace's credential, or behind the environment's key where the operator allows that."""
    if kind == "demo":
        return create_provider("demo", model=model or None)
    if credential_name:
        credential = only(workspace.credentials.filter(name=credential_name))
        if credential is None:
            raise AgentNotRunnable(f"This workspace has no credential named {credential_name!r}.")
        if credential.kind != kind:
            raise AgentNotRunnable(f"The credential {credential.name!r} is not one for {kind}.")
        return create_provider(
            kind,
            model=model or None,
            api_key=credential.api_key,
            base_url=credential.base_url or None,
            http_client=_guarded_client(os.getpid()) if credential.base_url else None,
        )
    if not environment_key_serves(workspace):
        raise AgentNotRunnable("Choose a credential: the operator's own keys do not serve this workspace.")
    return create_provider(kind, model=model or None)


@cache
def _guarded_client(process_id: int) -> httpx2.Client:
    """For addresses that a workspace names; one per process, as a fork must not share its parent's connections."""
    return guarded_client(allowed_hosts=settings.MASH_ALLOWED_PRIVATE_HOSTS)


def environment_key_serves(workspace: Workspace) -> bool:
    allowed = settings.MASH_ENVIRONMENT_KEY_WORKSPACES
    return "*" in allowed or workspace.slug in allowed


def _definition(tool: dict[str, Any]) -> LLMToolDefinition:
    extras = {key: value for key, value in tool.items() if key not in {"name", "description", "input_schema"}}
    return LLMToolDefinition(
        name=tool["name"],
        description=tool["description"],
        parameters_json_schema=tool["input_schema"],
        metadata=extras,
    )
