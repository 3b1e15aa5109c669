"""Starting a run, running one once more, and the way from a run's id to its page."""

from typing import Any

from django.http import HttpResponse

from telemetry.web.visit import Visit, screen
from telemetry.web.workflows.run_form import RunForm
from workflows.api.lookup import find_run
from workflows.models import WorkflowRun
from workflows.rerun import rerun_run
from workflows.start import Trigger, find_workflow, start_run
from workspaces.errors import MashError
from workspaces.roles import Scope


@screen("workflows", Scope.WORKFLOWS_RUN, methods=("GET", "POST"))
def start(visit: Visit, workflow_id: str) -> HttpResponse:
    workflow = find_workflow(visit.workspace, workflow_id)
    definition = workflow.current_version.typed_definition if workflow.current_version else None
    form = RunForm(visit.request.POST or None, schema=definition.input_schema if definition else None)
    context: dict[str, Any] = {"workflow": workflow, "form": form, "dedup_key": visit.request.POST.get("dedup_key", "")}
    if visit.request.method == "POST" and form.is_valid():
        key = context["dedup_key"].strip()[:200]
        try:
            run = start_run(workflow, form.given, by=visit.principal.name, dedup_key=key, trigger=Trigger.PAGE)
            return visit.go(visit.link("request", run.agent_request.request_id))
        except MashError as error:
            context["fault"] = error
    return visit.render("web/workflows/start.html", context, status=422 if form.is_bound else 200)


@screen("workflows", Scope.SESSIONS_READ)
def run_page(visit: Visit, workflow_id: str, run_id: str) -> HttpResponse:
    run = find_run(visit.workspace, workflow_id, run_id)
    return visit.go(visit.link("request", run.agent_request.request_id))


@screen("workflows", Scope.WORKFLOWS_RUN, methods=("GET", "POST"))
def rerun(visit: Visit, workflow_id: str, run_id: str) -> HttpResponse:
    """From the beginning, or from a step on: what that repeats is spelled out."""
    run = find_run(visit.workspace, workflow_id, run_id)
    workflow = find_workflow(visit.workspace, workflow_id)
    definition = workflow.current_version.typed_definition if workflow.current_version else None
    schema = definition.input_schema if definition else None
    form = RunForm(visit.request.POST or None, schema=schema, given=run.input)
    asked = visit.request.POST if visit.request.method == "POST" else visit.request.GET
    context: dict[str, Any] = {
        "run": run,
        "workflow": workflow,
        "form": form,
        "steps": [step.id for step in definition.steps] if definition else [],
        "from_step": asked.get("from_step", ""),
    }
    if visit.request.method == "POST" and form.is_valid():
        try:
            return _again(visit, run, form, context["from_step"])
        except MashError as error:
            context["fault"] = error
    return visit.render("web/workflows/rerun.html", context, status=422 if form.is_bound else 200)


def _again(visit: Visit, run: WorkflowRun, form: RunForm, from_step: str) -> HttpResponse:
    again = rerun_run(run, form.given, by=visit.principal.name, from_step=from_step)
    return visit.go(visit.link("request", again.agent_request.request_id))
