"""Starts a run: once this returns, it is durable and will reach its end (promise 1)."""

import json
import secrets
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from agents.json_schema import faults_of
from runtime.accept import check_room, insert_request
from runtime.events import storable
from runtime.kinds import RequestKind
from runtime.models import AgentRequest
from workflows.errors import TooDeep, WorkflowDisabled, WorkflowDuplicateRun, WorkflowNotFound
from workflows.models import Workflow, WorkflowRun, WorkflowVersion
from workflows.open_run import OpenRun
from workflows.schedules.models import Schedule
from workspaces.api.envelope import InvalidBody
from workspaces.models import Workspace

MOST_DEPTH = 8
Trigger = WorkflowRun.Trigger


def start_run(
    workflow: Workflow,
    given: Any,
    *,
    by: str,
    dedup_key: str = "",
    trigger: str = Trigger.API,
    schedule: Schedule | None = None,
    scheduled_for: datetime | None = None,
) -> WorkflowRun:
    """Stores the run and wakes a worker. Raises `QueueFull`, `WorkflowDuplicateRun`, which names the active one, and their kin."""
    given = storable(given)
    version = _runnable(workflow, given)
    check_room(workflow.workspace)
    request = _request(workflow, given)
    run_id = request.session_id
    request.dedup_key, request.created_by = dedup_key, by
    if schedule and schedule.overlap == Schedule.Overlap.QUEUE:
        # One session does one thing after the other.
        request.session_id = f"schedule:{schedule.pk}"
    run = WorkflowRun(
        run_id=run_id, version=version, input=given, trigger=trigger, schedule=schedule, scheduled_for=scheduled_for
    )
    try:
        with transaction.atomic():
            return _insert(request, workflow, run)
    except IntegrityError:
        active = workflow.workspace.agent_requests.unfinished().filter(agent=workflow.agent, dedup_key=dedup_key)
        for run_id in active.values_list("workflow_run__run_id", flat=True)[:1] if dedup_key else ():
            text = "A run with this dedup_key is not finished yet."
            raise WorkflowDuplicateRun(text, details={"run_id": run_id, "dedup_key": dedup_key}) from None
        raise


def insert_child_run(run: OpenRun, workflow_id: str, given: Any, *, call: str) -> WorkflowRun:
    """A run that is a step of another one, in the transaction that says that the step begins."""
    parent = run.agent_request
    workflow = find_workflow(parent.workspace, workflow_id)
    if parent.depth + 1 > MOST_DEPTH:
        raise TooDeep(f"More than {MOST_DEPTH} workflows run each other.")
    given = storable(given)
    version = _runnable(workflow, given)
    request = _request(workflow, given)
    request.parent, request.parent_call, request.depth = parent, call, parent.depth + 1
    request.created_by, request.user, request.metadata = parent.created_by, parent.user, parent.metadata
    child = WorkflowRun(run_id=request.session_id, version=version, input=given, trigger=Trigger.WORKFLOW)
    return _insert(request, workflow, child)


def find_workflow(workspace: Workspace, workflow_id: str) -> Workflow:
    rows = workspace.workflows.select_related("current_version", "agent__current_version", "workspace")
    workflow = rows.filter(workflow_id=workflow_id).first()
    if workflow is None:
        raise WorkflowNotFound(f"There is no workflow {workflow_id!r} here.")
    return workflow


def _runnable(workflow: Workflow, given: Any) -> WorkflowVersion:
    if workflow.is_gone or not workflow.is_enabled or workflow.current_version is None:
        raise WorkflowDisabled(f"The workflow {workflow.workflow_id} is switched off.")
    schema = workflow.current_version.typed_definition.input_schema
    if schema is not None and (faults := faults_of(schema, given)):
        raise InvalidBody([{"type": "schema", "loc": ["input"], "msg": fault} for fault in faults])
    return workflow.current_version


def _request(workflow: Workflow, given: Any) -> AgentRequest:
    run_id = f"mw:{workflow.workspace.host_id}:{workflow.workflow_id}:{secrets.token_urlsafe(12)}"
    return AgentRequest(
        workspace=workflow.workspace,
        agent=workflow.agent,
        agent_version=workflow.agent.current_version,
        session_id=run_id,
        message=json.dumps(given, ensure_ascii=False),
        kind=RequestKind.WORKFLOW,
    )


def _insert(request: AgentRequest, workflow: Workflow, run: WorkflowRun) -> WorkflowRun:
    with transaction.atomic():
        run.agent_request, run.workflow, run.workspace = insert_request(request), workflow, workflow.workspace
        run.save(force_insert=True)
    return run
