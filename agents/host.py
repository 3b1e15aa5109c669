"""Composes a host: one primary agent and its subagents (contract 5.13)."""

from dataclasses import dataclass
from typing import Protocol, Self

from agents.spec import AgentSpec, SubAgentMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredSpec:
    spec: AgentSpec
    metadata: SubAgentMetadata | None = None
    """None for the primary agent, and for one that only serves workflows."""
    is_worker: bool = False
    """It only serves workflows: nobody sees it, or may delegate to it (contract 7.6)."""

    @property
    def agent_id(self) -> str:
        return self.spec.get_agent_id()


class WorkflowLike(Protocol):
    """What a host must know of a workflow; the rest is known a floor above."""

    @property
    def workflow_id(self) -> str: ...

    @property
    def agent_specs(self) -> list[AgentSpec]: ...


@dataclass(frozen=True, slots=True)
class AgentHost:
    """The agents of one host, the primary one first, subagents in order of registration."""

    agents: tuple[RegisteredSpec, ...]
    workflows: tuple[WorkflowLike, ...] = ()
    has_masher: bool | None = None
    """None: as the deployment's settings say."""

    def get_primary_agent_id(self) -> str:
        return self.agents[0].agent_id

    def list_agents(self) -> list[str]:
        """Without those that only serve workflows."""
        return [agent.agent_id for agent in self.agents if not agent.is_worker]


class HostBuilder:
    """`HostBuilder().primary(spec).subagent(other, metadata=...).build()`"""

    def __init__(self) -> None:
        self._primary: RegisteredSpec | None = None
        self._subagents: list[RegisteredSpec] = []
        self._workflows: list[WorkflowLike] = []
        self._has_masher: bool | None = None

    def primary(self, spec: AgentSpec, agent_id: str | None = None) -> Self:
        if self._primary is not None:
            raise ValueError("A host has one primary agent, and it is set already.")
        self._primary = RegisteredSpec(spec=_checked(spec, agent_id))
        return self

    def subagent(self, spec: AgentSpec, metadata: SubAgentMetadata, agent_id: str | None = None) -> Self:
        self._subagents.append(RegisteredSpec(spec=_checked(spec, agent_id), metadata=metadata))
        return self

    def workflow(self, spec: WorkflowLike) -> Self:
        """Adds a workflow; agents of its tasks that are not registered otherwise serve it alone."""
        self._workflows.append(spec)
        return self

    def enable_masher(self, enabled: bool = True) -> Self:
        """Adds Masher's workflows, whatever the deployment's settings say; or leaves them out."""
        self._has_masher = enabled
        return self

    def build(self) -> AgentHost:
        if self._primary is None:
            raise ValueError("A host needs a primary agent: call primary(spec).")
        agents = (self._primary, *self._subagents)
        agents = (*agents, *self._workers(agents))
        ids = [agent.agent_id for agent in agents]
        if repeated := sorted({agent_id for agent_id in ids if ids.count(agent_id) > 1}):
            raise ValueError(f"Agent ids must be unique; repeated: {', '.join(repeated)}.")
        workflow_ids = [spec.workflow_id for spec in self._workflows]
        if repeated := sorted({each for each in workflow_ids if workflow_ids.count(each) > 1}):
            raise ValueError(f"Workflow ids must be unique; repeated: {', '.join(repeated)}.")
        return AgentHost(agents, tuple(self._workflows), self._has_masher)

    def _workers(self, agents: tuple[RegisteredSpec, ...]) -> list[RegisteredSpec]:
        known, workers = {agent.agent_id: agent.spec for agent in agents}, list[RegisteredSpec]()
        for spec in (each for workflow in self._workflows for each in workflow.agent_specs):
            agent_id = spec.get_agent_id()
            if agent_id not in known:
                known[agent_id] = spec
                workers.append(RegisteredSpec(spec=_checked(spec, None), is_worker=True))
            elif known[agent_id] is not spec:
                raise ValueError(f"A task's agent {agent_id!r} is registered already, with another spec.")
        return workers


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
