"""Makes an agent ready to run from one of its versions."""

import os
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import httpx2
from django.conf import settings

from agents.catalogue import code_agents, offered_tools
from agents.definition import AgentDefinition
from agents.llm.catalogue import create_provider
from agents.llm.types import LLMProvider, LLMToolDefinition
from agents.models import Agent, AgentVersion
from agents.skill_choice import skills_of
from agents.skills.registry import SkillRegistry
from agents.skills.tool import SkillTool
from agents.tools.registry import ToolRegistry
from workspaces.errors import MashError
from workspaces.models import Workspace
from workspaces.outbound import guarded_client
from workspaces.scoping import only


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

    @cached_property
    def tool_definitions(self) -> list[LLMToolDefinition]:
        return [_definition(tool.to_llm_format()) for tool in self.tools.list_tools()]

    def system_prompt(self, extra: str) -> str | list[dict[str, Any]]:
        """The agent's prompt, with a request's own `context` after it."""
        prompt = self.definition.system_prompt
        if not extra:
            return prompt
        if isinstance(prompt, str):
            return f"{prompt}\n\n{extra}"
        return [*prompt, {"type": "text", "text": extra}]


def build_agent(workspace: Workspace, agent: Agent, version: AgentVersion) -> RunnableAgent:
    """The agent as its version describes it; raises `AgentNotRunnable` when something is missing."""
    definition = version.typed_definition
    if agent.source == Agent.Source.CODE:
        return _from_code(workspace, agent, definition)
    return RunnableAgent(
        agent_id=agent.agent_id,
        definition=definition,
        llm=_provider(workspace, definition),
        tools=_with_skills(_chosen_tools(workspace, definition), workspace, definition),
    )


def _from_code(workspace: Workspace, agent: Agent, definition: AgentDefinition) -> RunnableAgent:
    registered = code_agents().get(agent.agent_id)
    if registered is None:
        raise AgentNotRunnable(f"The code that defines {agent.agent_id} is not part of this deployment.")
    overridden = {"provider", "model", "credential"} & set(agent.overrides)
    llm = _provider(workspace, definition) if overridden else registered.spec.build_llm()
    tools = _with_skills(registered.spec.build_tools(), workspace, definition, registered.spec.build_skills())
    return RunnableAgent(agent_id=agent.agent_id, definition=definition, llm=llm, tools=tools)


def _chosen_tools(workspace: Workspace, definition: AgentDefinition) -> ToolRegistry:
    offered = offered_tools(workspace)
    if missing := [name for name in definition.tools if name not in offered]:
        raise AgentNotRunnable(f"This deployment does not offer the tools {', '.join(missing)} here.")
    return ToolRegistry(offered[name]() for name in definition.tools)


def _with_skills(
    tools: ToolRegistry, workspace: Workspace, definition: AgentDefinition, own: SkillRegistry | None = None
) -> ToolRegistry:
    """`Skill` comes right after the agent's own tools (contract 5.10), if it has any skill."""
    try:
        skills = skills_of(workspace, definition, own)
        if len(skills):
            tools.register(SkillTool(skills))
    except (LookupError, ValueError) as error:
        raise AgentNotRunnable(str(error)) from error
    return tools


def _provider(workspace: Workspace, definition: AgentDefinition) -> LLMProvider:
    """The model behind the workspace's credential, or behind the environment's key where the operator allows that."""
    if definition.provider == "demo":
        return create_provider("demo", model=definition.model or None)
    if definition.credential:
        credential = only(workspace.credentials.filter(name=definition.credential))
        if credential is None:
            raise AgentNotRunnable(f"This workspace has no credential named {definition.credential!r}.")
        if credential.kind != definition.provider:
            raise AgentNotRunnable(f"The credential {credential.name!r} is not one for {definition.provider}.")
        return create_provider(
            definition.provider,
            model=definition.model or None,
            api_key=credential.api_key,
            base_url=credential.base_url or None,
            http_client=_guarded_client(os.getpid()) if credential.base_url else None,
        )
    if not environment_key_serves(workspace):
        raise AgentNotRunnable("Choose a credential: the operator's own keys do not serve this workspace.")
    return create_provider(definition.provider, model=definition.model or None)


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
