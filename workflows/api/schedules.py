"""Schedules over HTTP: when workflows run by themselves."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runtime.api.responses import enveloped
from workflows.api.lookup import the_workflow
from workflows.api.shapes import Shape, StartedRun
from workflows.errors import ScheduleNotFound
from workflows.public import shown_status
from workflows.schedules.change import change_schedule, make_schedule, remove_schedule
from workflows.schedules.fire import run_now
from workflows.schedules.models import Schedule
from workflows.schedules.times import next_times
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import data
from workspaces.api.pagination import newest_first
from workspaces.api.serializers import BodySerializer, StrictCharField, StrictIntegerField, read_body
from workspaces.roles import Scope
from workspaces.scoping import only


class ScheduleChange(BodySerializer):
    name = StrictCharField(max_length=100, required=False)
    kind = serializers.ChoiceField(Schedule.Kind.choices, required=False)
    cron = StrictCharField(max_length=100, allow_blank=True, required=False, help_text="Five fields.")
    zone = StrictCharField(max_length=64, required=False, help_text="IANA time zone of the cron expression.")
    every_s = StrictIntegerField(min_value=60, required=False, allow_null=True)
    at = serializers.DateTimeField(required=False, allow_null=True, help_text="ISO 8601, for `once`.")
    input = serializers.JSONField(required=False)
    overlap = serializers.ChoiceField(Schedule.Overlap.choices, required=False)
    catch_up = serializers.ChoiceField(Schedule.CatchUp.choices, required=False)
    jitter_s = StrictIntegerField(min_value=0, max_value=86_400, required=False)
    is_paused = serializers.BooleanField(required=False)


class ScheduleBody(ScheduleChange):
    name = StrictCharField(max_length=100)


class ScheduleShape(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    workflow_id = serializers.CharField()
    kind = serializers.ChoiceField(Schedule.Kind.choices)
    cron = serializers.CharField(allow_blank=True)
    zone = serializers.CharField()
    every_s = serializers.IntegerField(allow_null=True)
    at = serializers.FloatField(allow_null=True)
    input = serializers.JSONField()
    overlap = serializers.ChoiceField(Schedule.Overlap.choices)
    catch_up = serializers.ChoiceField(Schedule.CatchUp.choices)
    jitter_s = serializers.IntegerField()
    is_paused = serializers.BooleanField()
    next_times = serializers.ListField(child=serializers.FloatField())
    last_at = serializers.FloatField(allow_null=True)
    skipped = serializers.IntegerField()
    fault = serializers.CharField(allow_blank=True)


class ScheduleListShape(Shape):
    schedules = ScheduleShape(many=True)
    next = serializers.CharField(allow_null=True)


_OF_WORKFLOW = OpenApiParameter("workflow_id", OpenApiTypes.STR)


class ScheduleListView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ}

    @extend_schema(operation_id="list_schedules", parameters=[_OF_WORKFLOW], responses=enveloped(ScheduleListShape))
    def get(self, request: Request) -> Response:
        """List schedules, newest first, with their next five times."""
        rows = principal_of(request).workspace.schedules.select_related("workflow")
        if workflow_id := request.query_params.get("workflow_id", "").replace("\x00", ""):
            rows = rows.filter(workflow__workflow_id=workflow_id)
        page, cursor = newest_first(request, rows)
        return data({"schedules": [schedule_row(row) for row in page], "next": cursor})


class NewScheduleView(APIView):
    required_scopes = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="make_schedule", request=ScheduleBody, responses=enveloped(ScheduleShape))
    def post(self, request: Request, workflow_id: str) -> Response:
        """Let a workflow run by itself: by a cron expression in a time zone, every so many seconds, or once."""
        workflow, values = the_workflow(request, workflow_id), read_body(request, ScheduleBody)
        return data(schedule_row(make_schedule(workflow, values, by=principal_of(request).name)))


class ScheduleView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ, "PATCH": Scope.AGENTS_WRITE, "DELETE": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="get_schedule", responses=enveloped(ScheduleShape))
    def get(self, request: Request, schedule_id: int) -> Response:
        """Tell when it runs next."""
        return data(schedule_row(the_schedule(request, schedule_id)))

    @extend_schema(operation_id="change_schedule", request=ScheduleChange, responses=enveloped(ScheduleShape))
    def patch(self, request: Request, schedule_id: int) -> Response:
        """Change it, pause it or let it go on."""
        schedule, values = the_schedule(request, schedule_id), read_body(request, ScheduleChange)
        return data(schedule_row(change_schedule(schedule, values, by=principal_of(request).name)))

    @extend_schema(operation_id="remove_schedule", responses={200: enveloped(ScheduleShape)})
    def delete(self, request: Request, schedule_id: int) -> Response:
        """Remove it; its runs stay."""
        schedule = the_schedule(request, schedule_id)
        row = schedule_row(schedule)
        remove_schedule(schedule, by=principal_of(request).name)
        return data(row)


class RunScheduleView(APIView):
    required_scopes = {"POST": Scope.WORKFLOWS_RUN}

    @extend_schema(operation_id="run_schedule", request=None, responses=enveloped(StartedRun))
    def post(self, request: Request, schedule_id: int) -> Response:
        """Run it once now, beside its times."""
        run = run_now(the_schedule(request, schedule_id), by=principal_of(request).name)
        status = shown_status(run.agent_request.status)
        return data({"run_id": run.run_id, "workflow_id": run.workflow.workflow_id, "status": status})


def the_schedule(request: Request, schedule_id: int) -> Schedule:
    rows = principal_of(request).workspace.schedules.select_related("workspace", "workflow__current_version")
    found = only(rows.filter(pk=schedule_id))
    if found is None:
        raise ScheduleNotFound("There is no such schedule.")
    return found


def schedule_row(schedule: Schedule) -> dict[str, Any]:
    upcoming = [] if schedule.is_paused else next_times(schedule, timezone.now())
    return {
        "id": schedule.pk,
        "name": schedule.name,
        "workflow_id": schedule.workflow.workflow_id,
        "kind": schedule.kind,
        "cron": schedule.cron,
        "zone": schedule.zone,
        "every_s": schedule.every_s,
        "at": schedule.at.timestamp() if schedule.at else None,
        "input": schedule.input,
        "overlap": schedule.overlap,
        "catch_up": schedule.catch_up,
        "jitter_s": schedule.jitter_s,
        "is_paused": schedule.is_paused,
        "next_times": [moment.timestamp() for moment in upcoming],
        "last_at": schedule.last_at.timestamp() if schedule.last_at else None,
        "skipped": schedule.skipped,
        "fault": schedule.fault,
    }
