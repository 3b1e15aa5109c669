"""Which subagents an agent may hand work to (contract 5.13, extensions)."""

from collections.abc import Mapping

from agents.definition import AgentDefinition
from agents.models import Agent
from agents.spec import SubAgentMetadata
from workspaces.models import Workspace


def find_subagents(
    workspace: Workspace, agent: Agent, definition: AgentDefinition, *, depth: int
) -> Mapping[str, SubAgentMetadata]:
    """By id. Empty for an agent that has none, or that is called too deep below others to delegate in turn."""
    is_primary = agent.role == Agent.Role.PRIMARY
    if depth >= definition.max_delegation_depth or (definition.subagents is None and not is_primary):
        return {}
    rows = workspace.agents.offered().filter(current_version__isnull=False).exclude(pk=agent.pk)
    if definition.subagents is None:
        rows = rows.filter(role=Agent.Role.SUBAGENT)
    else:
        rows = rows.filter(agent_id__in=definition.subagents)
    return {row.agent_id: _metadata(row) for row in rows.select_related("current_version")}


def _metadata(agent: Agent) -> SubAgentMetadata:
    """What routing needs; an agent that says nothing about itself is still told apart by its name."""
    definition = agent.definition
    return SubAgentMetadata(
        display_name=definition.display_name or agent.agent_id,
        description=definition.description or "No description.",
        capabilities=definition.capabilities or ("general",),
        usage_guidance=definition.usage_guidance or "Use it when its name fits the task.",
    )
