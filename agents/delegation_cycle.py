"""Finds out whether work that an agent hands on could come back to it."""

from collections import deque
from collections.abc import Collection, Mapping

from agents.definition import AgentDefinition
from agents.models import Agent
from workspaces.models import Workspace


def delegation_fault(workspace: Workspace, agent_id: str, role: str, definition: AgentDefinition) -> str:
    """What is wrong with whom this definition hands work to; empty when nothing comes back."""
    if agent_id in (definition.subagents or ()):
        return "An agent cannot hand work to itself."
    way = find_cycle(workspace, agent_id, role, definition)
    if not way:
        return ""
    return f"Work would come back to this agent: {' → '.join(way)}. Take one of them out, or lower a delegation depth."


def find_cycle(workspace: Workspace, agent_id: str, role: str, definition: AgentDefinition) -> list[str]:
    """The shortest way from this agent back to it, as the depths allow; empty when there is none."""
    rows = workspace.agents.filter(current_version__isnull=False).exclude(agent_id=agent_id)
    agents = {row.agent_id: (row.role, row.definition) for row in rows.select_related("current_version")}
    agents[agent_id] = (role, definition)
    by_role = [other for other, (its_role, _) in agents.items() if its_role == Agent.Role.SUBAGENT]
    ways = deque([[agent_id]])
    seen: set[str] = set()
    # Breadth first: whoever is reached sooner may hand on more, so nobody is worth a second visit.
    while ways:
        way = ways.popleft()
        for called in _called(agents, way[-1], by_role, depth=len(way) - 1):
            if called == agent_id:
                return [*way, called]
            if called not in seen:
                seen.add(called)
                ways.append([*way, called])
    return []


def _called(
    agents: Mapping[str, tuple[str, AgentDefinition]], agent_id: str, by_role: Collection[str], *, depth: int
) -> list[str]:
    """Whom the agent may hand work to when that many delegations lie above it, as `find_subagents` decides."""
    role, definition = agents[agent_id]
    if depth >= definition.max_delegation_depth:
        return []
    if definition.subagents is None:
        wanted = by_role if role == Agent.Role.PRIMARY else ()
    else:
        wanted = definition.subagents
    return [other for other in wanted if other in agents and other != agent_id]
