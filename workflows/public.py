"""How workflows, runs and their steps look from outside (contract 2.2.9 to 2.2.11, 7.3)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runtime.kinds import QUEUED, EventKind, Status
from runtime.models import AgentRequest, RuntimeEvent
from runtime.public import completed_data
from workflows.models import Workflow, WorkflowRun

STATUSES = ("queued", "running", "completed", "failed", "cancelled")


def workflow_row(workflow: Workflow) -> dict[str, Any]:
    """A workflow in the listing: the contract's keys, and what its steps are."""
    version = workflow.current_version
    definition = version.typed_definition if version else None
    steps = definition.steps if definition else ()
    return {
        "workflow_id": workflow.workflow_id,
        "tasks": [
            {"task_id": step.id, "agent_id": getattr(step, "agent_id", "") or None, "kind": step.kind} for step in steps
        ],
        "description": definition.description if definition else "",
        "source": workflow.source,
        "version": version.number if version else None,
        "input_schema": definition.input_schema if definition else None,
        "is_enabled": workflow.is_enabled and not workflow.is_gone,
    }


def shown_status(status: str) -> str:
    """The status of contract 7.3; a run that waits for somebody is running."""
    if status in QUEUED:
        return "queued"
    return "running" if status in {Status.RUNNING, Status.PAUSED} else status


def statuses_of(shown: str) -> tuple[Status, ...]:
    """The states of a request that are shown as this."""
    return tuple(status for status in Status if shown_status(status) == shown)


def run_row(run: WorkflowRun, *, with_output: bool = False) -> dict[str, Any]:
    """A run: the contract's keys, then ours. The output is read from the log, so lists are without it."""
    row = run.agent_request
    shown = {
        "run_id": run.run_id,
        "workflow_id": run.workflow.workflow_id,
        "dedup_key": row.dedup_key or None,
        "status": shown_status(row.status),
        "created_at": row.accepted_at.timestamp(),
        "started_at": row.started_at.timestamp() if row.started_at else None,
        "finished_at": row.finished_at.timestamp() if row.finished_at else None,
        "error": row.error["error"] if row.error else None,
        "error_details": row.error,
        "state": row.status,
        "wait_reason": row.wait_reason or row.pause_reason or None,
        "trigger": run.trigger,
        "version": run.version.number,
        "input": run.input,
        "request_id": str(row.request_id),
        "trace_id": str(row.trace_id) if row.trace_id else None,
        "request_seq": row.last_sequence,
        "attempt": row.attempt,
        "steps_completed": row.steps,
        "rerun_of": row.rerun_of.workflow_run.run_id if row.rerun_of else None,
        "schedule": run.schedule.name if run.schedule else None,
        "scheduled_for": run.scheduled_for.timestamp() if run.scheduled_for else None,
        "is_terminal": row.is_terminal,
    }
    return {**shown, "output": output_of(row)} if with_output else shown


def output_of(agent_request: AgentRequest) -> dict[str, Any] | None:
    """What a completed run returns (contract 7.2, step 6, and `output`); None of any other."""
    ended = completed_data(agent_request) if agent_request.status == Status.COMPLETED else None
    response = ended[1].get("response") if ended else None
    return {key: value for key, value in response.items() if key != "text"} if isinstance(response, dict) else None


@dataclass(slots=True)
class StepAccount:
    """What has become of one step, as its run's log tells."""

    path: str
    step: str = ""
    kind: str = ""
    status: str = "running"
    attempts: list[dict[str, Any]] = field(default_factory=list)
    input: Any = None
    output: Any = None
    error: dict[str, Any] | None = None
    request_id: str | None = None
    retry_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "step": self.step,
            "kind": self.kind,
            "status": self.status,
            "attempts": self.attempts,
            "input": self.input,
            "output": self.output,
            "error": self.error,
            "request_id": self.request_id,
            "retry_at": self.retry_at,
        }


def step_accounts(events: Iterable[RuntimeEvent]) -> list[StepAccount]:
    """In the order in which the steps began."""
    steps: dict[str, StepAccount] = {}
    for event in events:
        path = event.payload.get("path")
        if path is None or event.event_type not in _TOLD:
            continue
        _TOLD[EventKind(event.event_type)](steps.setdefault(path, StepAccount(path)), event.payload, event.created_at)
    return list(steps.values())


def _started(step: StepAccount, payload: dict[str, Any], at: datetime) -> None:
    step.step, step.kind, step.input = payload["step"], payload["kind"], payload.get("input")
    step.status, step.retry_at = "running", None
    step.attempts.append({"attempt": payload["attempt"], "started_at": at.timestamp(), "finished_at": None})


def _completed(step: StepAccount, payload: dict[str, Any], at: datetime) -> None:
    step.status, step.output, step.error = "completed", payload.get("output"), None
    step.request_id = payload.get("request_id")
    _end_attempt(step, at)


def _failed(step: StepAccount, payload: dict[str, Any], at: datetime) -> None:
    step.retry_at = payload.get("retry_at")
    step.status = "retrying" if step.retry_at else "failed"
    step.error = {name: payload[name] for name in ("error", "error_code", "retryable") if name in payload}
    _end_attempt(step, at)
    if step.attempts:
        step.attempts[-1]["error"] = step.error["error"]


def _skipped(step: StepAccount, payload: dict[str, Any], at: datetime) -> None:
    step.status, step.step = "skipped", payload["path"].rsplit("/", 1)[-1]


def _end_attempt(step: StepAccount, at: datetime) -> None:
    if step.attempts:
        step.attempts[-1]["finished_at"] = at.timestamp()


_TOLD = {
    EventKind.WORKFLOW_STEP_STARTED: _started,
    EventKind.WORKFLOW_STEP_COMPLETED: _completed,
    EventKind.WORKFLOW_STEP_FAILED: _failed,
    EventKind.WORKFLOW_STEP_SKIPPED: _skipped,
}
