"""Composes a host: one primary agent and its subagents (contract 5.13)."""

from dataclasses import dataclass
from typing import Self

from agents.spec import AgentSpec, SubAgentMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredSpec:
    spec: AgentSpec
    metadata: SubAgentMetadata | None = None
    """None for the primary agent."""

    @property
    def agent_id(self) -> str:
        return self.spec.get_agent_id()


@dataclass(frozen=True, slots=True)
class AgentHost:
    """The agents of one host, the primary one first, subagents in order of registration."""

    agents: tuple[RegisteredSpec, ...]

    def get_primary_agent_id(self) -> str:
        return self.agents[0].agent_id

    def list_agents(self) -> list[str]:
        return [agent.agent_id for agent in self.agents]


class HostBuilder:
    """`HostBuilder().primary(spec).subagent(other, metadata=...).build()`"""

    def __init__(self) -> None:
        self._primary: RegisteredSpec | None = None
        self._subagents: list[RegisteredSpec] = []

    def primary(self, spec: AgentSpec, agent_id: str | None = None) -> Self:
        if self._primary is not None:
            raise ValueError("A host has one primary agent, and it is set already.")
        self._primary = RegisteredSpec(spec=_checked(spec, agent_id))
        return self

    def subagent(self, spec: AgentSpec, metadata: SubAgentMetadata, agent_id: str | None = None) -> Self:
        self._subagents.append(RegisteredSpec(spec=_checked(spec, agent_id), metadata=metadata))
        return self

    def build(self) -> AgentHost:
        if self._primary is None:
            raise ValueError("A host needs a primary agent: call primary(spec).")
        agents = (self._primary, *self._subagents)
        ids = [agent.agent_id for agent in agents]
        if repeated := sorted({agent_id for agent_id in ids if ids.count(agent_id) > 1}):
            raise ValueError(f"Agent ids must be unique; repeated: {', '.join(repeated)}.")
        return AgentHost(agents)


def _checked(spec: AgentSpec, agent_id: str | None) -> AgentSpec:
    """An id given at registration must be the spec's own: one agent has one name in routes, log and memory."""
    own = spec.get_agent_id()
    if not own.strip():
        raise ValueError(f"{type(spec).__name__}.get_agent_id() is blank.")
    if spec.build_agent_config().app_id != own:
        raise ValueError(f"{type(spec).__name__}: get_agent_id() is {own!r}, but app_id of its config differs.")
    if agent_id is not None and agent_id != own:
        raise ValueError(f"agent_id={agent_id!r} must equal the spec's own id {own!r}.")
    return spec


MashAgentHost = AgentHost
MashAgentHostBuilder = HostBuilder
