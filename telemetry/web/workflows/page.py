"""One workflow: its runs as they change, its definition, and when it runs by itself."""

from typing import Any
from urllib.parse import urlencode

import yaml
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from telemetry.query.newest import newest_event
from telemetry.query.pages import newest_page
from telemetry.web.links import may_define_agents
from telemetry.web.version_history import version_history
from telemetry.web.visit import Visit, screen
from workflows.hooks.address import signed_part
from workflows.models import Workflow, WorkflowRun
from workflows.public import STATUSES, statuses_of
from workflows.schedules.times import next_times
from workflows.start import find_workflow
from workspaces.roles import Scope

TABS = ("runs", "definition", "versions", "schedules", "hooks")
PAGE_SIZE = 50


@screen("workflows", Scope.AGENTS_READ)
def workflow_page(visit: Visit, workflow_id: str) -> HttpResponse:
    """`tab=runs|definition|versions|schedules|hooks`, and of runs `status`, `trigger` and `cursor`."""
    workflow = find_workflow(visit.workspace, workflow_id)
    wanted = visit.request.GET.get("tab", "")
    tab = wanted if wanted in TABS else TABS[0]
    context = {
        "workflow": workflow,
        "definition": workflow.current_version.typed_definition if workflow.current_version else None,
        "tab": tab,
        "tabs": TABS,
        "may_run": visit.may(Scope.WORKFLOWS_RUN),
        "may_change": visit.may(Scope.AGENTS_WRITE),
        "admin_url": admin_link(visit, workflow),
        **_CONTEXTS[tab](visit, workflow),
    }
    return visit.render("web/workflows/page.html", context, partials={"results"})


def _runs(visit: Visit, workflow: Workflow) -> dict[str, Any]:
    parameters = visit.request.GET.dict()
    status, cursor = parameters.get("status", ""), parameters.get("cursor", "")
    rows = visit.workspace.workflow_runs.filter(workflow=workflow).select_related("agent_request", "version")
    if status in STATUSES:
        rows = rows.filter(agent_request__status__in=statuses_of(status))
    if parameters.get("trigger") in WorkflowRun.Trigger.values:
        rows = rows.filter(trigger=parameters["trigger"])
    return {
        "page": newest_page(rows, cursor, size=PAGE_SIZE),
        "statuses": STATUSES,
        "triggers": WorkflowRun.Trigger.choices,
        "cursor": newest_event(visit.workspace),
        "is_live": not cursor,
        "has_filters": bool(status or parameters.get("trigger")),
    }


def _definition(visit: Visit, workflow: Workflow) -> dict[str, Any]:
    version = workflow.current_version
    text = yaml.safe_dump(version.definition, sort_keys=False, allow_unicode=True) if version else ""
    return {"text": text}


def _versions(visit: Visit, workflow: Workflow) -> dict[str, Any]:
    return version_history(workflow, visit.request.GET.dict())


def _schedules(visit: Visit, workflow: Workflow) -> dict[str, Any]:
    now = timezone.now()
    rows = [
        (schedule, [] if schedule.is_paused else next_times(schedule, now))
        for schedule in workflow.schedules.order_by("name")
    ]
    return {"schedules": rows}


def _hooks(visit: Visit, workflow: Workflow) -> dict[str, Any]:
    """Only for who may change agents: an address starts runs."""
    rows = list(workflow.inbound_hooks.order_by("name")) if visit.may(Scope.AGENTS_WRITE) else []
    address = visit.request.build_absolute_uri
    return {"hooks": [(hook, address(reverse("inbound-hook", args=[signed_part(hook)]))) for hook in rows]}


_CONTEXTS = {"runs": _runs, "definition": _definition, "versions": _versions, "schedules": _schedules, "hooks": _hooks}


def admin_link(visit: Visit, workflow: Workflow) -> str:
    """The admin's form for it; empty for who may not, and for what code defines."""
    if not may_define_agents(visit) or workflow.source == Workflow.Source.CODE:
        return ""
    return reverse("admin:workflows_workflow_change", args=[workflow.pk])


def new_workflow_link(visit: Visit) -> str:
    if not may_define_agents(visit):
        return ""
    return f"{reverse('admin:workflows_workflow_add')}?{urlencode({'workspace': visit.workspace.pk})}"
