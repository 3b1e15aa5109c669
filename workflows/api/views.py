"""Workflows and their runs (contract 2.2.9 to 2.2.11), and steering them."""

from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runtime.api.responses import enveloped
from runtime.cancel import cancel_request
from runtime.kinds import Reason
from runtime.resume import resume_request
from workflows.api.lookup import the_run, the_workflow
from workflows.api.shapes import (
    RUN_FILTERS,
    RerunBody,
    RunBody,
    RunListShape,
    RunShape,
    SignalBody,
    StartedRun,
    StepListShape,
    WorkflowListShape,
    WorkflowShape,
)
from workflows.models import Workflow, WorkflowRun
from workflows.public import STATUSES, run_row, shown_status, statuses_of, step_accounts, workflow_row
from workflows.rerun import rerun_run
from workflows.signal import signal_run
from workflows.start import start_run
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import InvalidBody, data
from workspaces.api.pagination import newest_first
from workspaces.api.serializers import read_body
from workspaces.roles import Scope


class WorkflowListView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ}

    @extend_schema(operation_id="list_workflows", responses=enveloped(WorkflowListShape))
    def get(self, request: Request) -> Response:
        """List the workspace's workflows in order of registration."""
        rows = principal_of(request).workspace.workflows.offered().select_related("current_version")
        return data({"workflows": [workflow_row(row) for row in rows]})


class WorkflowView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ}

    @extend_schema(operation_id="get_workflow", responses=enveloped(WorkflowShape))
    def get(self, request: Request, workflow_id: str) -> Response:
        """Tell what a workflow consists of."""
        return data(workflow_row(the_workflow(request, workflow_id)))


class RunWorkflowView(APIView):
    required_scopes = {"POST": Scope.WORKFLOWS_RUN}

    @extend_schema(operation_id="run_workflow", request=RunBody, responses=enveloped(StartedRun))
    def post(self, request: Request, workflow_id: str) -> Response:
        """Start a run. Once this is answered it is stored, and will reach its end."""
        workflow = the_workflow(request, workflow_id)
        body = read_body(request, RunBody)
        dedup_key = (body["dedup_key"] or "").strip()
        _check_input(workflow, body["input"])
        run = start_run(workflow, body["input"], by=principal_of(request).name, dedup_key=dedup_key)
        return _started(run)


class RunListView(APIView):
    required_scopes = {"GET": Scope.SESSIONS_READ}

    @extend_schema(operation_id="list_workflow_runs", parameters=RUN_FILTERS, responses=enveloped(RunListShape))
    def get(self, request: Request, workflow_id: str) -> Response:
        """List a workflow's runs, newest first. Filters: status, dedup_key, trigger; pages by cursor."""
        workflow, query = the_workflow(request, workflow_id), request.query_params
        rows = principal_of(request).workspace.workflow_runs.filter(workflow=workflow)
        rows = rows.select_related("workflow", "version", "schedule", "agent_request__rerun_of__workflow_run")
        if status := _one_of(STATUSES, query, "status"):
            rows = rows.filter(agent_request__status__in=statuses_of(status))
        if dedup_key := query.get("dedup_key", "").replace("\x00", ""):
            rows = rows.filter(agent_request__dedup_key=dedup_key)
        if trigger := _one_of(WorkflowRun.Trigger.values, query, "trigger"):
            rows = rows.filter(trigger=trigger)
        page, cursor = newest_first(request, rows)
        return data({"runs": [run_row(run) for run in page], "next": cursor})


class RunView(APIView):
    required_scopes = {"GET": Scope.SESSIONS_READ}

    @extend_schema(operation_id="get_workflow_run", responses=enveloped(RunShape))
    def get(self, request: Request, workflow_id: str, run_id: str) -> Response:
        """Tell where a run stands, and what it returned."""
        return _run(the_run(request, workflow_id, run_id))


class StepListView(APIView):
    required_scopes = {"GET": Scope.SESSIONS_READ}

    @extend_schema(operation_id="list_workflow_steps", responses=enveloped(StepListShape))
    def get(self, request: Request, workflow_id: str, run_id: str) -> Response:
        """Tell what has become of each step: attempts, input, output, error."""
        run = the_run(request, workflow_id, run_id)
        events = run.agent_request.events.filter(event_type__startswith="runtime.workflow.").order_by("sequence")
        return data({"steps": [step.as_json() for step in step_accounts(events.iterator())]})


class SteerView(APIView):
    required_scopes = {"POST": Scope.WORKFLOWS_RUN}


class CancelRunView(SteerView):
    @extend_schema(operation_id="cancel_workflow_run", request=None, responses=enveloped(RunShape))
    def post(self, request: Request, workflow_id: str, run_id: str) -> Response:
        """Stop a run and everything that its steps have started."""
        run = the_run(request, workflow_id, run_id)
        cancel_request(run.agent_request, reason=Reason.CANCELLED, by=principal_of(request).name)
        return _run(the_run(request, workflow_id, run_id))


class ResumeRunView(SteerView):
    @extend_schema(operation_id="resume_workflow_run", request=None, responses=enveloped(RunShape))
    def post(self, request: Request, workflow_id: str, run_id: str) -> Response:
        """Let a run that failed or was cancelled go on: finished steps are not repeated."""
        run = the_run(request, workflow_id, run_id)
        resume_request(run.agent_request, by=principal_of(request).name)
        return _run(the_run(request, workflow_id, run_id))


class RerunRunView(SteerView):
    @extend_schema(operation_id="rerun_workflow_run", request=RerunBody, responses=enveloped(StartedRun))
    def post(self, request: Request, workflow_id: str, run_id: str) -> Response:
        """Run it once more as a new run: all of it, or from a step on with the outputs of those before."""
        run = the_run(request, workflow_id, run_id)
        body = read_body(request, RerunBody)
        given = body.get("input", run.input)
        _check_input(run.workflow, given)
        return _started(rerun_run(run, given, by=principal_of(request).name, from_step=body["from_step"].strip()))


class SignalRunView(SteerView):
    @extend_schema(operation_id="signal_workflow_run", request=SignalBody, responses=enveloped(RunShape))
    def post(self, request: Request, workflow_id: str, run_id: str) -> Response:
        """Tell a run that something has happened that one of its steps waits for, now or later."""
        run = the_run(request, workflow_id, run_id)
        body = read_body(request, SignalBody)
        signal_run(run, body["name"].strip(), body["payload"], by=principal_of(request).name)
        return _run(the_run(request, workflow_id, run_id))


def _check_input(workflow: Workflow, given: Any) -> None:
    """An object, as the contract has it, unless the workflow itself says what it takes."""
    version = workflow.current_version
    has_schema = version is not None and version.typed_definition.input_schema is not None
    if not has_schema and not isinstance(given, dict):
        raise InvalidBody([{"type": "dict_type", "loc": ["body", "input"], "msg": "Not an object."}])


def _run(run: WorkflowRun) -> Response:
    return data(run_row(run, with_output=True))


def _started(run: WorkflowRun) -> Response:
    status = shown_status(run.agent_request.status)
    return data({"run_id": run.run_id, "workflow_id": run.workflow.workflow_id, "status": status})


def _one_of(known: Iterable[str], query: Mapping[str, str], name: str) -> str:
    """The filter's value; empty for none. Raises `InvalidBody` for another."""
    value = query.get(name, "")
    if value and value not in known:
        raise InvalidBody([{"type": "enum", "loc": ["query", name], "msg": f"One of {', '.join(known)}."}])
    return value
