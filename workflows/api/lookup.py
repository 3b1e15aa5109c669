"""From ids in a path to rows, always through the caller's workspace."""

from rest_framework.request import Request

from runtime.api.lookup import clean_id
from workflows.errors import WorkflowNotFound
from workflows.models import Workflow, WorkflowRun
from workflows.start import find_workflow
from workspaces.api.authentication import principal_of
from workspaces.models import Workspace
from workspaces.scoping import only


def the_workflow(request: Request, workflow_id: str) -> Workflow:
    return find_workflow(principal_of(request).workspace, clean_id(workflow_id, "workflow_id"))


def the_run(request: Request, workflow_id: str, run_id: str) -> WorkflowRun:
    return find_run(principal_of(request).workspace, clean_id(workflow_id, "workflow_id"), clean_id(run_id, "run_id"))


def find_run(workspace: Workspace, workflow_id: str, run_id: str) -> WorkflowRun:
    related = (
        "workflow",
        "version",
        "schedule",
        "agent_request__agent",
        "agent_request__workspace",
        "agent_request__rerun_of__workflow_run",
    )
    rows = workspace.workflow_runs.select_related("workspace", "agent_request__agent_version", *related)
    run = only(rows.filter(run_id=run_id, workflow__workflow_id=workflow_id))
    if run is None:
        raise WorkflowNotFound("There is no such run of this workflow.")
    return run
