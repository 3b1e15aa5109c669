"""Bodies that the workflows' API takes, and answers written down for OpenAPI."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from runtime.api.parameters import CURSOR, LIMIT
from workflows.models import Workflow, WorkflowRun
from workflows.public import STATUSES
from workspaces.api.serializers import BodySerializer, StrictCharField

Shape = serializers.Serializer[Any]
MAX_DEDUP_KEY = 200


class RunBody(BodySerializer):
    dedup_key = StrictCharField(max_length=MAX_DEDUP_KEY, allow_blank=True, allow_null=True, default=None)
    input = serializers.JSONField(default=dict, help_text="An object, unless the workflow's schema says otherwise.")


class RerunBody(BodySerializer):
    from_step = StrictCharField(max_length=100, allow_blank=True, default="", help_text="The first step to repeat.")
    input = serializers.JSONField(required=False, help_text="Instead of the run's own.")


class SignalBody(BodySerializer):
    name = StrictCharField(max_length=200)
    payload = serializers.JSONField(default=None, allow_null=True)


class TaskShape(Shape):
    task_id = serializers.CharField()
    agent_id = serializers.CharField(allow_null=True)
    kind = serializers.CharField()


class WorkflowShape(Shape):
    workflow_id = serializers.CharField()
    tasks = TaskShape(many=True)
    description = serializers.CharField(allow_blank=True)
    source = serializers.ChoiceField(Workflow.Source.choices)  # type: ignore[assignment]  # hides an attribute of DRF
    version = serializers.IntegerField(allow_null=True)
    input_schema = serializers.JSONField(allow_null=True)
    is_enabled = serializers.BooleanField()


class WorkflowListShape(Shape):
    workflows = WorkflowShape(many=True)


class StartedRun(Shape):
    run_id = serializers.CharField()
    workflow_id = serializers.CharField()
    status = serializers.ChoiceField(STATUSES)


class RunInList(Shape):
    run_id = serializers.CharField()
    workflow_id = serializers.CharField()
    dedup_key = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(STATUSES)
    created_at = serializers.FloatField()
    started_at = serializers.FloatField(allow_null=True)
    finished_at = serializers.FloatField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    error_details = serializers.JSONField(allow_null=True)
    state = serializers.CharField()
    wait_reason = serializers.CharField(allow_null=True)
    trigger = serializers.ChoiceField(WorkflowRun.Trigger.choices)
    version = serializers.IntegerField()
    input = serializers.JSONField()
    request_id = serializers.UUIDField()
    trace_id = serializers.UUIDField(allow_null=True)
    request_seq = serializers.IntegerField()
    attempt = serializers.IntegerField()
    steps_completed = serializers.IntegerField()
    rerun_of = serializers.CharField(allow_null=True)
    schedule = serializers.CharField(allow_null=True)
    scheduled_for = serializers.FloatField(allow_null=True)
    is_terminal = serializers.BooleanField()


class RunShape(RunInList):
    output = serializers.JSONField(allow_null=True)


class RunListShape(Shape):
    runs = RunInList(many=True)
    next = serializers.CharField(allow_null=True)


class StepShape(Shape):
    path = serializers.CharField()
    step = serializers.CharField()
    kind = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(["running", "retrying", "completed", "failed", "skipped"])
    attempts = serializers.ListField(child=serializers.JSONField())
    input = serializers.JSONField(allow_null=True)
    output = serializers.JSONField(allow_null=True)
    error = serializers.JSONField(allow_null=True)
    request_id = serializers.UUIDField(allow_null=True)
    retry_at = serializers.FloatField(allow_null=True)


class StepListShape(Shape):
    steps = StepShape(many=True)


RUN_FILTERS = [
    OpenApiParameter("status", OpenApiTypes.STR, enum=list(STATUSES)),
    OpenApiParameter("dedup_key", OpenApiTypes.STR),
    OpenApiParameter("trigger", OpenApiTypes.STR, enum=WorkflowRun.Trigger.values),
    LIMIT,
    CURSOR,
]
