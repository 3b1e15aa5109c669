"""The workflows of a workspace: what each consists of, how its last run went, and when it runs next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse

from telemetry.web.visit import Visit, screen
from telemetry.web.workflows.page import new_workflow_link
from workflows.models import Workflow, WorkflowRun
from workspaces.models import Workspace
from workspaces.roles import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedWorkflow:
    workflow: Workflow
    steps: Sequence[str]
    last: WorkflowRun | None
    active: int
    """Runs that are not finished."""
    next_at: datetime | None


@screen("workflows", Scope.AGENTS_READ)
def workflow_list(visit: Visit) -> HttpResponse:
    context = {"workflows": _listed(visit.workspace), "new_workflow_url": new_workflow_link(visit)}
    return visit.render("web/workflows/list.html", context)


def _listed(workspace: Workspace) -> list[ListedWorkflow]:
    newest = workspace.workflow_runs.values("workflow").annotate(newest=Max("pk")).values("newest")
    last = {
        run.workflow_id: run for run in workspace.workflow_runs.select_related("agent_request").filter(pk__in=newest)
    }
    unfinished = workspace.agent_requests.unfinished().filter(agent=OuterRef("agent")).order_by()
    active = unfinished.values("agent").annotate(count=Count("pk")).values("count")
    rows: Any = (
        workspace.workflows.listed()
        .select_related("current_version")
        .annotate(
            active=Coalesce(Subquery(active), 0),
            next_at=Min("schedules__next_at", filter=Q(schedules__is_paused=False)),
        )
    )
    return [
        ListedWorkflow(workflow=row, steps=_steps(row), last=last.get(row.pk), active=row.active, next_at=row.next_at)
        for row in rows.order_by("position", "pk")
    ]


def _steps(workflow: Workflow) -> list[str]:
    version = workflow.current_version
    return [step.id for step in version.typed_definition.steps] if version else []
