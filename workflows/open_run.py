"""A run as its driver has it in hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils import timezone

from runtime.models import AgentRequest
from workflows import log
from workflows.definition import AgentStep, CodeStep, WorkflowDefinition, all_steps
from workflows.engine import Progress
from workflows.models import WorkflowRun


@dataclass(frozen=True, slots=True)
class KnownState:
    value: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0
    """0: no run has left one yet."""


@dataclass(kw_only=True)
class OpenRun:
    agent_request: AgentRequest
    row: WorkflowRun
    progress: Progress

    @classmethod
    def read(cls, agent_request: AgentRequest) -> "OpenRun":
        """With everything that its log says."""
        row = agent_request.workspace.workflow_runs.select_related("workflow", "version").get(pk=agent_request.pk)
        about = {"run_id": row.run_id, "workflow_id": row.workflow.workflow_id, "trigger": row.trigger}
        progress = Progress(row.input, about)
        if agent_request.attempt > 1 or agent_request.last_sequence > 1:
            folded = agent_request.events.filter(event_type__in=log.FOLDED).order_by("sequence")
            log.fold(progress, folded)
        return cls(agent_request=agent_request, row=row, progress=progress)

    @property
    def definition(self) -> WorkflowDefinition:
        return self.row.version.typed_definition

    @property
    def workflow_id(self) -> str:
        return self.row.workflow.workflow_id

    @cached_property
    def states(self) -> dict[str, KnownState]:
        """By step, as they stood when this worker took the run."""
        rows = self.row.workflow.task_states.all()
        return {row.task_id: KnownState(row.value, row.revision) for row in rows}

    def state_of(self, step_id: str) -> KnownState:
        return self.states.get(step_id, KnownState())

    def output(self, output: Any) -> dict[str, Any]:
        """What a completed run returns: the contract's keys (7.2), and the output itself."""
        nodes, tasks = self.progress.nodes, list(all_steps(self.definition.steps))
        done = [(step, nodes[step.id]) for step in tasks if step.id in nodes and nodes[step.id].status == "completed"]
        requests = self.agent_request.children.filter(parent_call__in=[step.id for step, _ in done])
        ids = dict(requests.values_list("parent_call", "request_id"))
        objects = [(step.id, node.output) for step, node in done if isinstance(step, (AgentStep, CodeStep))]
        return {
            "workflow_id": self.workflow_id,
            "run_id": self.row.run_id,
            "completed_at": timezone.now().timestamp(),
            "task_requests": {step_id: str(request_id) for step_id, request_id in ids.items()},
            "task_states": {step_id: value for step_id, value in objects if isinstance(value, dict)},
            "output": output,
        }

    def contract_message(self, step_id: str, given: Any, earlier: Mapping[str, Any]) -> str:
        """What an agent is told that has no message of its own (contract 7.2, step 4), and what came before it."""
        told = {
            "workflow_id": self.workflow_id,
            "workflow_run_id": self.row.run_id,
            "task_id": step_id,
            "workflow_input": given,
            "task_state": self.state_of(step_id).value,
            "task_outputs": earlier,
        }
        return json.dumps(told)
