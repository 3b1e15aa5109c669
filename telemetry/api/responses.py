"""What the telemetry routes answer, written down for OpenAPI."""

from typing import Any

from rest_framework import serializers

from runtime.api.responses import TokenUsage, UsageTotals
from runtime.usage.reports import GROUPS

Shape = serializers.Serializer[Any]


class EventShape(Shape):
    event_id = serializers.IntegerField()
    request_id = serializers.UUIDField(allow_null=True)
    request_seq = serializers.IntegerField(allow_null=True)
    trace_id = serializers.UUIDField(allow_null=True)
    app_id = serializers.CharField()
    agent_id = serializers.CharField()
    session_id = serializers.CharField(allow_null=True)
    event_type = serializers.CharField()
    loop_index = serializers.IntegerField(allow_null=True)
    step_key = serializers.CharField(allow_null=True)
    payload = serializers.DictField()
    created_at = serializers.FloatField(help_text="Unix seconds, as all times.")


class EventPage(Shape):
    events = EventShape(many=True)
    source = serializers.CharField()  # type: ignore[assignment]  # hides an attribute of DRF that nothing here reads
    agent_id = serializers.CharField()
    session_id = serializers.CharField(allow_null=True)
    trace_id = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class TraceRow(Shape):
    trace_id = serializers.UUIDField()
    session_id = serializers.CharField()
    event_count = serializers.IntegerField()
    started_at = serializers.FloatField()
    latest_event_at = serializers.FloatField()
    latest_event_id = serializers.IntegerField()


class TraceList(Shape):
    traces = TraceRow(many=True)
    source = serializers.CharField()  # type: ignore[assignment]  # hides an attribute of DRF that nothing here reads
    agent_id = serializers.CharField()
    session_id = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class OneTrace(Shape):
    """What every answer about one trace begins with."""

    source = serializers.CharField()  # type: ignore[assignment]  # hides an attribute of DRF that nothing here reads
    agent_id = serializers.CharField()
    session_id = serializers.CharField()
    trace_id = serializers.CharField()
    status = serializers.CharField(help_text="`in_progress`, `completed` or `error`.")


class FailedEvent(Shape):
    event_id = serializers.IntegerField()
    event_type = serializers.CharField()
    created_at = serializers.FloatField()
    error = serializers.CharField(allow_null=True)


class RuntimeTraceShape(OneTrace):
    target_agent_id = serializers.CharField(allow_null=True)
    started_at = serializers.FloatField()
    latest_event_at = serializers.FloatField()
    duration_ms = serializers.FloatField()
    user_message = serializers.CharField(allow_null=True)
    assistant_response = serializers.CharField(allow_null=True)
    tools_called = serializers.ListField(child=serializers.CharField())
    tool_call_count = serializers.IntegerField()
    tool_error_count = serializers.IntegerField()
    step_count = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    failed_events = FailedEvent(many=True)
    event_count = serializers.IntegerField()


class ToolCallShape(Shape):
    name = serializers.CharField()
    arguments = serializers.DictField()
    preview = serializers.CharField()


class ReasoningStepShape(Shape):
    step = serializers.IntegerField(help_text="1 is the first.")
    step_index = serializers.IntegerField(allow_null=True, help_text="Loop index, 0 is the first.")
    action_type = serializers.CharField()
    title = serializers.CharField()
    assistant_text = serializers.CharField(allow_null=True)
    tool_calls = ToolCallShape(many=True)
    token_usage = TokenUsage()
    think_duration_ms = serializers.FloatField()
    act_duration_ms = serializers.FloatField()
    total_duration_ms = serializers.FloatField(allow_null=True)


class ReasoningSummaryShape(Shape):
    total_steps = serializers.IntegerField()
    total_tools = serializers.IntegerField()
    total_tokens = serializers.IntegerField()
    total_duration_ms = serializers.FloatField()


class TraceError(Shape):
    message = serializers.CharField(allow_null=True)
    error_type = serializers.CharField(allow_null=True)


class ReasoningTraceShape(OneTrace):
    steps = ReasoningStepShape(many=True)
    summary = ReasoningSummaryShape()
    error = TraceError(required=False, help_text="Only after a failure.")


class UsageRowShape(UsageTotals):
    """The key is that of the grouping: `day`, `agent_id`, `user`, `provider` and `model`, or `agent_id` and `session_id`."""

    day = serializers.DateField(required=False)
    agent_id = serializers.CharField(required=False)
    session_id = serializers.CharField(required=False)
    user = serializers.CharField(required=False, allow_blank=True)
    provider = serializers.CharField(required=False, allow_blank=True)
    model = serializers.CharField(required=False, allow_blank=True)


class UsagePage(Shape):
    group_by = serializers.CharField(help_text=f"One of {', '.join(GROUPS)}.")
    since = serializers.FloatField()
    until = serializers.FloatField()
    rows = UsageRowShape(many=True)
    totals = UsageTotals(help_text="Of the whole span.")
    next = serializers.CharField(allow_null=True, help_text="Cursor of the next page, or null on the last.")
