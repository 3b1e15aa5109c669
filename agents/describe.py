"""How an agent and its sessions are described to callers (contract 2.2)."""

from typing import Any

from agents.llm.catalogue import VENDORS
from agents.memory.history import session_tokens
from agents.models import Agent


def descriptor(agent: Agent) -> dict[str, Any]:
    """The agent in listings; the primary one has no routing metadata."""
    definition = agent.definition
    metadata = None
    if agent.role != Agent.Role.PRIMARY:
        metadata = {
            "display_name": definition.display_name or agent.agent_id,
            "description": definition.description,
            "capabilities": list(definition.capabilities),
            "usage_guidance": definition.usage_guidance,
        }
    return {"agent_id": agent.agent_id, "role": agent.role, "metadata": metadata}


def session_info(agent: Agent, listed: list[Agent], *, session_id: str) -> dict[str, Any]:
    """Session info of contract 2.2.5; a session that does not exist has no tokens."""
    subagents = [other.agent_id for other in listed if other.role == Agent.Role.SUBAGENT]
    definition = agent.definition
    return {
        "app_id": agent.agent_id,
        "agent_id": agent.agent_id,
        "session_id": session_id,
        "primary_agent_id": agent.agent_id,
        "subagent_ids": sorted(subagents) if agent.role == Agent.Role.PRIMARY else [],
        "model": definition.model or _default_model(definition.provider),
        "max_steps": definition.max_steps,
        "session_total_tokens": session_tokens(agent.workspace, agent_id=agent.agent_id, session_id=session_id),
    }


def _default_model(provider: str) -> str:
    return VENDORS[provider].model() if provider in VENDORS else provider
