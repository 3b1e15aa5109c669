"""A schedule's form, and what one does with it."""

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils import timezone

from telemetry.web.preferences import time_zones
from telemetry.web.typed_json import typed_json
from telemetry.web.visit import Visit, screen
from workflows.models import Workflow
from workflows.schedules.change import change_schedule, make_schedule, remove_schedule
from workflows.schedules.fire import run_now
from workflows.schedules.models import Schedule
from workflows.schedules.times import next_times
from workflows.start import find_workflow
from workspaces.api.envelope import InvalidBody
from workspaces.errors import MashError
from workspaces.roles import Scope
from workspaces.scoping import only


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What makes no sense together is told by `workflows.schedules.change`, as it is over the API."""

    input = forms.CharField(
        required=False, initial="{}", widget=forms.Textarea(attrs={"rows": 4, "class": "mono"}), help_text="JSON."
    )
    zone = forms.ChoiceField(label="Time zone", choices=lambda: [(name, name) for name in time_zones()])
    at = forms.DateTimeField(required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))

    class Meta:
        model = Schedule
        fields = ("name", "kind", "cron", "zone", "every_s", "at", "overlap", "catch_up", "jitter_s", "input")
        labels = {
            "every_s": "Every",
            "overlap": "While the run before goes on",
            "catch_up": "After a time without a worker",
        }

    def clean_input(self) -> Any:
        return typed_json(self.cleaned_data["input"] or "{}")

    def _post_clean(self) -> None:
        """The row is changed and checked by `change_schedule`."""


@screen("workflows", Scope.AGENTS_WRITE, methods=("GET", "POST"))
def schedule_new(visit: Visit, workflow_id: str) -> HttpResponse:
    workflow = find_workflow(visit.workspace, workflow_id)
    form = ScheduleForm(visit.request.POST or None, initial={"zone": visit.preferences.tz})
    if form.is_bound and form.is_valid():
        try:
            schedule = make_schedule(workflow, form.cleaned_data, by=visit.principal.name)
            return _back(visit, workflow, f"{schedule.name} is set.")
        except MashError as error:
            _tell(form, error)
    return _page(visit, workflow, form)


@screen("workflows", Scope.AGENTS_WRITE, methods=("GET", "POST"))
def schedule_page(visit: Visit, workflow_id: str, schedule_id: int) -> HttpResponse:
    """`action=save|pause|go-on|run|remove`."""
    workflow = find_workflow(visit.workspace, workflow_id)
    schedule = only(workflow.schedules.select_related("workspace", "workflow__current_version").filter(pk=schedule_id))
    if schedule is None:
        raise Http404
    action = visit.request.POST.get("action", "save")
    if visit.request.method == "POST" and action != "save":
        return _act(visit, workflow, schedule, action)
    form = ScheduleForm(visit.request.POST or None, instance=schedule, initial={"input": json.dumps(schedule.input)})
    if form.is_bound and form.is_valid():
        try:
            change_schedule(schedule, form.cleaned_data, by=visit.principal.name)
            return _back(visit, workflow, f"{schedule.name} is changed.")
        except MashError as error:
            _tell(form, error)
    return _page(visit, workflow, form, schedule)


def _act(visit: Visit, workflow: Workflow, schedule: Schedule, action: str) -> HttpResponse:
    by = visit.principal.name
    match action:
        case "pause" | "go-on":
            change_schedule(schedule, {"is_paused": action == "pause"}, by=by)
            return _back(visit, workflow, f"{schedule.name} {'is paused' if schedule.is_paused else 'goes on'}.")
        case "run":
            return visit.go(visit.link("request", run_now(schedule, by=by).agent_request.request_id))
        case "remove":
            remove_schedule(schedule, by=by)
            return _back(visit, workflow, f"{schedule.name} is removed.")
    raise Http404


def _tell(form: ScheduleForm, error: MashError) -> None:
    faults = error.details.get("errors", ()) if isinstance(error, InvalidBody) else ()
    for fault in faults:
        form.add_error(fault["loc"][-1], fault["msg"])
    if not faults:
        form.add_error(error.details.get("field"), error.message)


def _page(visit: Visit, workflow: Workflow, form: ScheduleForm, schedule: Schedule | None = None) -> HttpResponse:
    upcoming = next_times(schedule, timezone.now()) if schedule and not schedule.is_paused else []
    context = {"workflow": workflow, "form": form, "schedule": schedule, "upcoming": upcoming}
    return visit.render("web/workflows/schedule.html", context, status=422 if form.is_bound else 200)


def _back(visit: Visit, workflow: Workflow, told: str) -> HttpResponse:
    messages.success(visit.request, told)
    return visit.go(f"{visit.link('workflow', workflow.workflow_id)}?tab=schedules")
