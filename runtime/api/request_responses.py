"""What the API answers about requests and their questions, written down for OpenAPI."""

from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer
from rest_framework import serializers

from runtime.api.responses import AttachmentReference, Shape, TokenUsage, TurnMetadata, UsageTotals, enveloped
from runtime.kinds import PauseReason, Reason, RequestKind, Status, WaitReason
from runtime.models import Interaction


class AcceptedRequest(Shape):
    request_id = serializers.UUIDField()
    session_id = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    request_seq = serializers.IntegerField(help_text="Head of the request's log: the cursor of its newest event.")


class AgentResponse(Shape):
    text = serializers.CharField()
    signals = serializers.DictField()
    metadata = TurnMetadata()
    structured_output = serializers.JSONField(
        required=False, help_text="The answer as JSON, where the request gave a schema for it."
    )


class CompletedRequest(Shape):
    """The data of `request.completed`."""

    request_id = serializers.UUIDField()
    agent_id = serializers.CharField()
    session_id = serializers.CharField()
    status = serializers.ChoiceField(["completed"])
    trace_id = serializers.UUIDField()
    turn_id = serializers.UUIDField()
    response = AgentResponse()
    session_total_tokens = serializers.IntegerField()
    signals = serializers.DictField()
    response_metadata = TurnMetadata()
    compaction_summary_text = serializers.CharField(allow_null=True)
    compaction_summary_turn_id = serializers.CharField(allow_null=True)


class FailedRequest(Shape):
    """The data of `request.error`."""

    request_id = serializers.UUIDField()
    agent_id = serializers.CharField()
    session_id = serializers.CharField()
    status = serializers.ChoiceField(["error"])
    error = serializers.CharField()
    error_type = serializers.CharField(required=False)
    error_code = serializers.CharField()
    retryable = serializers.BooleanField()
    reason = serializers.ChoiceField(Reason.choices)


class CancelledRequest(Shape):
    """The data of `request.cancelled`."""

    request_id = serializers.UUIDField()
    agent_id = serializers.CharField()
    session_id = serializers.CharField()
    status = serializers.ChoiceField(["cancelled"])
    reason = serializers.CharField()
    by = serializers.CharField()


SUBMIT_ANSWER = PolymorphicProxySerializer(
    component_name="SubmitAnswer",
    serializers=[enveloped(shape) for shape in (AcceptedRequest, CompletedRequest, FailedRequest, CancelledRequest)],
    resource_type_field_name=None,
)


class RequestError(Shape):
    error = serializers.CharField()
    error_type = serializers.CharField()
    error_code = serializers.CharField()
    retryable = serializers.BooleanField()


class RequestUsage(Shape):
    own = UsageTotals()
    including_children = UsageTotals(
        allow_null=True,
        help_text="With everything that subagents did for it. Null in lists, where children are not looked at.",
    )


class RequestRow(Shape):
    request_id = serializers.UUIDField()
    agent_id = serializers.CharField()
    session_id = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    reason = serializers.ChoiceField(Reason.choices, allow_null=True, help_text="Why it ended.")
    wait_reason = serializers.ChoiceField(WaitReason.choices, allow_null=True, help_text="Why it cannot start.")
    pause_reason = serializers.ChoiceField(PauseReason.choices, allow_null=True, help_text="What it waits for.")
    kind = serializers.ChoiceField(RequestKind.choices)
    run = serializers.IntegerField(help_text="1, and one more for every resume.")
    parent_request_id = serializers.UUIDField(allow_null=True, help_text="Who delegated it.")
    rerun_of = serializers.UUIDField(allow_null=True)
    attempt = serializers.IntegerField(help_text="How often a worker has claimed it.")
    request_seq = serializers.IntegerField()
    trace_id = serializers.UUIDField(allow_null=True)
    agent_version = serializers.IntegerField()
    user = serializers.CharField(allow_null=True)
    metadata = serializers.DictField()
    attachments = AttachmentReference(many=True)
    tokens = TokenUsage()
    usage = RequestUsage()
    error = RequestError(allow_null=True)
    accepted_at = serializers.FloatField(help_text="Unix seconds, as all times.")
    started_at = serializers.FloatField(allow_null=True)
    finished_at = serializers.FloatField(allow_null=True)
    is_terminal = serializers.BooleanField()


class RequestList(Shape):
    requests = RequestRow(many=True)
    next = serializers.CharField(allow_null=True, help_text="Cursor of the next page, or null on the last.")


class InteractionRow(Shape):
    interaction_id = serializers.CharField()
    request_id = serializers.UUIDField()
    agent_id = serializers.CharField()
    session_id = serializers.CharField()
    kind = serializers.ChoiceField(Interaction.Kind.choices)
    prompt = serializers.CharField(allow_blank=True)
    options = serializers.ListField(child=serializers.CharField())
    schema = serializers.DictField(allow_null=True)
    tool_calls = serializers.ListField(
        child=serializers.DictField(), help_text="Id, name and arguments of what would run."
    )
    state = serializers.ChoiceField(Interaction.State.choices)
    deadline = serializers.FloatField()
    response = serializers.JSONField(allow_null=True)
    note = serializers.CharField(allow_null=True)
    answered_by = serializers.CharField(allow_null=True)
    answered_at = serializers.FloatField(allow_null=True)
    created_at = serializers.FloatField()


class InteractionList(Shape):
    interactions = InteractionRow(many=True)
    next = serializers.CharField(allow_null=True, help_text="Cursor of the next page, or null on the last.")


class Acknowledged(Shape):
    ok = serializers.BooleanField()
    interaction_id = serializers.CharField()


SUBMIT_EXAMPLES = [
    OpenApiExample("A message", value={"message": "What is 6 * 7?", "session_id": "support-4711"}, request_only=True),
    OpenApiExample(
        "With a file",
        value={
            "message": "What does it say?",
            "session_id": "support-4711",
            "attachments": [{"attachment_id": "5f0c3c9e-8f0b-4f5e-9f7a-2d9a5d0f6c11", "name": "invoice.pdf"}],
        },
        request_only=True,
    ),
    OpenApiExample(
        "With options",
        value={
            "message": "What is 6 * 7?",
            "session_id": "support-4711",
            "user": "ada",
            "multitask": "reject",
            "limits": {"max_steps": 5, "deadline_s": 60},
        },
        request_only=True,
    ),
]
