"""How far an erasure reaches: subagents' sessions, and what other rooms have taken from any of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from django.db.models import Q

from agents.models import Agent
from runtime.models import AgentRequestQuerySet
from workspaces.models import Workspace

AgentSession = tuple[Agent, str]


class Copies(Protocol):
    """What a room has taken from requests."""

    @property
    def tables(self) -> Sequence[str]:
        """What `erase` counts."""

    def sessions(self, workspace: Workspace, requests: AgentRequestQuerySet) -> Iterable[AgentSession]:
        """Where it was said again."""

    def count(self, workspace: Workspace, requests: AgentRequestQuerySet) -> int: ...

    def erase(self, workspace: Workspace, requests: AgentRequestQuerySet) -> Mapping[str, int]:
        """How many rows went, by table."""


copies: list[Copies] = []
"""Rooms above this one add theirs when they are ready."""


def sessions_in_reach(workspace: Workspace, agent: Agent, session_id: str) -> list[AgentSession]:
    """The session, those in which subagents served it, and those in which it was said again."""
    own = with_subagents(workspace, [(agent, session_id)])
    requests = workspace.agent_requests.filter(requests_of(own))
    again = [pair for copy in copies for pair in copy.sessions(workspace, requests)]
    return list(dict.fromkeys((*own, *again)))


def with_subagents(workspace: Workspace, first: Iterable[AgentSession]) -> list[AgentSession]:
    """The sessions and those in which subagents served them, at any depth."""
    found = list(first)
    todo = list(found)
    while todo:
        agent, session_id = todo.pop()
        children = workspace.agent_requests.filter(parent__agent=agent, parent__session_id=session_id)
        pairs = {(child.agent, child.session_id) for child in children.select_related("agent")}
        fresh = [pair for pair in pairs if pair not in found]
        found += fresh
        todo += fresh
    return found


def requests_of(sessions: Iterable[AgentSession]) -> Q:
    """The requests of these sessions, of which there is at least one."""
    condition = Q()
    for agent, session_id in sessions:
        condition |= Q(agent=agent, session_id=session_id)
    return condition
