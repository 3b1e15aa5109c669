"""How a developer defines a workflow in Python (contract 7.1), and what steps beside agents' tasks there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agents.spec import AgentSpec
from workflows.code import CodeFunction
from workflows.definition import AgentStep, AnyStep, CodeStep, WorkflowDefinition


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One request to an agent, whose answer is a JSON object: the state that the same task of the next run gets."""

    task_id: str
    agent_spec: AgentSpec

    @property
    def agent_id(self) -> str:
        return self.agent_spec.get_agent_id()

    def as_step(self) -> AgentStep:
        return AgentStep(kind="agent", id=self.task_id, agent_id=self.agent_id, keeps_state=True)


@dataclass(frozen=True, slots=True)
class CodeTask:
    """A function instead of an agent."""

    task_id: str
    function: CodeFunction
    input: str = ""
    agent_id: str = ""
    """Who the contract's listing names for it."""

    def as_step(self) -> CodeStep:
        return CodeStep(
            kind="code", id=self.task_id, function=self.function.name, input=self.input, agent_id=self.agent_id
        )


Task = TaskSpec | CodeTask | AnyStep


@dataclass(frozen=True, slots=True)
class WorkflowSpec:
    """A workflow as code: tasks in their order, and steps of every kind among them."""

    workflow_id: str
    tasks: Sequence[Task]
    input_schema: dict[str, Any] | None = None
    output: str = ""
    """JMESPath; empty: the last step's output."""
    max_concurrent_runs: int = 8
    description: str = ""

    def definition(self) -> WorkflowDefinition:
        """As data. Raises a `ValueError` when it makes no sense."""
        steps = [task.as_step() if isinstance(task, (TaskSpec, CodeTask)) else task for task in self.tasks]
        return WorkflowDefinition(
            description=self.description,
            steps=tuple(steps),
            input_schema=self.input_schema,
            output=self.output,
            max_concurrent_runs=self.max_concurrent_runs,
        )

    @property
    def agent_specs(self) -> list[AgentSpec]:
        """Of the agents that serve its tasks."""
        return [task.agent_spec for task in self.tasks if isinstance(task, TaskSpec)]

    @property
    def functions(self) -> list[CodeFunction]:
        return [task.function for task in self.tasks if isinstance(task, CodeTask)]


class WorkflowRegistry:
    """Workflows by id, in the order in which they came."""

    def __init__(self, specs: Iterable[WorkflowSpec] = ()) -> None:
        self._specs: dict[str, WorkflowSpec] = {}
        for spec in specs:
            self.register(spec)

    def register(self, spec: WorkflowSpec) -> None:
        workflow_id = spec.workflow_id.strip()
        if not workflow_id:
            raise ValueError("A workflow needs an id.")
        if workflow_id in self._specs:
            raise ValueError(f"There are two workflows {workflow_id!r}.")
        self._specs[workflow_id] = spec

    def get(self, workflow_id: str) -> WorkflowSpec:
        """Raises a `KeyError` for one that is not there."""
        return self._specs[workflow_id]

    def list(self) -> list[WorkflowSpec]:
        return list(self._specs.values())
