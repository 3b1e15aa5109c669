"""What an agent is made of, for people to read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.build import build_agent
from agents.definition import AgentDefinition
from agents.models import Agent
from agents.tools.base import Tool
from telemetry.show import figures
from workspaces.errors import MashError
from workspaces.models import Workspace

Facts = Sequence[tuple[str, str]]
_SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Model": {
        "provider": "Provider",
        "model": "Model",
        "credential": "Credential",
        "max_tokens": "Tokens per answer",
        "temperature": "Temperature",
        "prompt_caching_enabled": "Prompt caching",
        "fallback_provider": "Fallback provider",
        "fallback_model": "Fallback model",
    },
    "Limits": {
        "max_steps": "Steps",
        "deadline_s": "Deadline",
        "max_cost_usd": "Cost of a request",
        "max_concurrent_requests": "Requests at once",
        "model_timeout_s": "Wait for a model",
        "model_attempts": "Calls per answer",
        "requires_approval": "Tools that a person approves",
    },
    "Memory": {
        "conversation_history_turns": "Turns of history",
        "memory_tools": "Memory tools",
        "compaction_token_threshold": "Compaction from tokens",
        "compaction_turn_limit": "Compaction from turns",
    },
    "Delegation": {
        "display_name": "Name",
        "description": "Description",
        "capabilities": "Capabilities",
        "usage_guidance": "When to call it",
        "subagents": "Subagents",
        "skills": "Skills",
        "mcp_servers": "MCP servers",
        "max_delegation_depth": "Depth",
        "max_fan_out": "At once",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTool:
    tool: Tool
    needs_approval: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDefinition:
    prompt: str
    sections: Mapping[str, Facts]
    tools: Sequence[ShownTool]
    fault: str
    """Why it cannot run as it is; its tools are known by name only then."""


def shown_definition(workspace: Workspace, agent: Agent) -> ShownDefinition:
    definition = agent.definition
    tools, fault = _tools(workspace, agent)
    sections = {title: _facts(definition, names) for title, names in _SECTIONS.items()}
    return ShownDefinition(prompt=_prompt(definition), sections=sections, tools=tools, fault=fault)


def _tools(workspace: Workspace, agent: Agent) -> tuple[Sequence[ShownTool], str]:
    if agent.current_version is None:
        return (), "It has no definition yet."
    try:
        runnable = build_agent(workspace, agent, agent.current_version)
    except MashError as error:
        return (), str(error)
    except Exception as error:  # code of the deployment's own; its text may hold anything
        return (), f"{type(error).__name__} in its code."
    guarded = runnable.rules.needs_approval
    return [ShownTool(tool=tool, needs_approval=tool.name in guarded) for tool in runnable.tools.list_tools()], ""


def _prompt(definition: AgentDefinition) -> str:
    prompt = definition.system_prompt
    if isinstance(prompt, str):
        return prompt
    return "\n\n".join(str(block["text"]) if "text" in block else json.dumps(block) for block in prompt)


def _facts(definition: AgentDefinition, titles: Mapping[str, str]) -> Facts:
    """By title, without what is not set."""
    values = {name: getattr(definition, name) for name in titles}
    return [
        (titles[name], figures.duration(value) if name.endswith("_s") else _text(value))
        for name, value in values.items()
        if value not in (None, "", ())
    ]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and not value:
        return "none"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
