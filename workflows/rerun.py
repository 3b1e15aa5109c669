"""Runs a run once more: a new one, from the beginning or from one of its steps on."""

from typing import Any

from django.db import transaction

from runtime import events
from runtime.errors import SessionErased
from workflows import log
from workflows.engine import Progress
from workflows.errors import StepNotFound
from workflows.models import WorkflowRun
from workflows.start import Trigger, find_workflow, start_run


def rerun_run(run: WorkflowRun, given: Any, *, by: str, from_step: str = "") -> WorkflowRun:
    """With today's version of the workflow. What the steps before `from_step` gave is taken from the old run.

    Raises `SessionErased`, and `StepNotFound` when the workflow has no such step at its top, or one before it has no
    outcome.
    """
    if run.agent_request.erased_at:
        raise SessionErased("The run was erased; there is nothing left to run again.")
    workflow = find_workflow(run.workspace, run.workflow.workflow_id)
    with transaction.atomic():
        again = start_run(workflow, given, by=by, trigger=Trigger.RERUN)
        row = again.agent_request
        run.workspace.agent_requests.filter(pk=row.pk).update(rerun_of=run.agent_request)
        if from_step:
            run.workspace.workflow_runs.filter(pk=again.pk).update(from_step=from_step)
            events.append(row, _taken_over(run, again, from_step))
    return again


def _taken_over(run: WorkflowRun, again: WorkflowRun, from_step: str) -> list[events.NewEvent]:
    """The ends of the steps before, as the new run's own."""
    definition = again.version.typed_definition
    before = [step.id for step in definition.steps]
    if from_step not in before:
        raise StepNotFound(f"The workflow has no step {from_step!r} at its top.", details={"field": "from_step"})
    before = before[: before.index(from_step)]
    log_of_run = run.agent_request.events.filter(event_type__in=log.FOLDED).order_by("sequence")
    nodes = log.fold(Progress(run.input), log_of_run).nodes
    taken = []
    for step in definition.steps[: len(before)]:
        places = [path for path in nodes if path == step.id or path.startswith(f"{step.id}/")]
        if not places:
            raise StepNotFound(f"The run did not come as far as {from_step!r}.", details={"field": "from_step"})
        for path in places:
            node = nodes[path]
            if node.status == "completed":
                taken.append(log.completed(path, node.attempt, node.output, duration_ms=0, taken_from=run.run_id))
            elif node.status == "skipped":
                taken.append(log.skipped(path))
            elif node.status == "failed" and node.error:
                taken.append(log.failed(path, node.attempt, node.error))
    return taken
