"""What the runtime's API answers, written down for OpenAPI; the views themselves build plain dictionaries."""

from functools import cache
from typing import Any

from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, inline_serializer
from rest_framework import serializers

from agents.models import Agent
from runtime.attachments.values import ENDINGS
from runtime.kinds import PauseReason, Reason, RequestKind, Status, WaitReason
from runtime.models import Interaction

Shape = serializers.Serializer[Any]


@cache
def enveloped(shape: type[Shape]) -> Shape:
    """The success envelope around a shape; one per shape, for OpenAPI's components have names."""
    return inline_serializer(name=f"{shape.__name__}Envelope", fields={"data": shape()})


class AgentMetadata(Shape):
    display_name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    capabilities = serializers.ListField(child=serializers.CharField())
    usage_guidance = serializers.CharField(allow_blank=True)


class AgentDescriptor(Shape):
    agent_id = serializers.CharField()
    role = serializers.ChoiceField(Agent.Role.choices)
    metadata = AgentMetadata(allow_null=True, help_text="Null for the primary agent.")


class SessionInfo(Shape):
    app_id = serializers.CharField(help_text="The same as `agent_id`.")
    agent_id = serializers.CharField()
    session_id = serializers.CharField()
    primary_agent_id = serializers.CharField()
    subagent_ids = serializers.ListField(child=serializers.CharField())
    model = serializers.CharField()
    max_steps = serializers.IntegerField()
    session_total_tokens = serializers.IntegerField()


class Deployment(Shape):
    primary_agent_id = serializers.CharField(allow_null=True)
    agents = AgentDescriptor(many=True)


class MemorySearch(Shape):
    search_available = serializers.BooleanField()
    default_limit = serializers.IntegerField()


class Observability(Shape):
    enabled = serializers.BooleanField()
    memory = MemorySearch()


class Health(Shape):
    status = serializers.ChoiceField(["ok"])
    service = serializers.CharField()
    api_version = serializers.CharField()
    deployment = Deployment()
    primary_agent = SessionInfo(allow_null=True)
    observability = Observability()


class AgentList(Shape):
    agents = AgentDescriptor(many=True)
    primary_agent_id = serializers.CharField(allow_null=True)


class AgentDetail(Shape):
    agent = AgentDescriptor()
    session = SessionInfo()


class AcceptedRequest(Shape):
    request_id = serializers.UUIDField()
    session_id = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    request_seq = serializers.IntegerField(help_text="Head of the request's log: the cursor of its newest event.")


class TokenUsage(Shape):
    input = serializers.IntegerField()
    output = serializers.IntegerField()


class AttachmentReference(Shape):
    attachment_id = serializers.UUIDField()
    name = serializers.CharField(help_text="What this use of it is called.")
    media_type = serializers.ChoiceField(list(ENDINGS))
    size = serializers.IntegerField(help_text="Bytes.")


class AttachmentRow(AttachmentReference):
    sha256 = serializers.CharField(help_text="Of the content, which is stored once.")


class TurnMetadata(Shape):
    trace_id = serializers.UUIDField()
    token_usage = TokenUsage()
    compaction_summary_text = serializers.CharField(allow_null=True)
    compaction_summary_turn_id = serializers.CharField(allow_null=True)
    stop_reason = serializers.CharField(required=False, help_text="`max_steps` when the step limit ended the turn.")
    attachments = AttachmentReference(many=True, required=False, help_text="What came with the message.")
    primary_session_id = serializers.CharField(
        required=False, help_text="Of a delegated request: its parent's session."
    )
    primary_app_id = serializers.CharField(required=False)
    subagent_id = serializers.CharField(required=False)
    subagent_invoke_opts = serializers.DictField(required=False)


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


class UsageTotals(Shape):
    model_calls = serializers.IntegerField()
    input = serializers.IntegerField(help_text="Cached tokens included.")
    output = serializers.IntegerField(help_text="Reasoning tokens included.")
    cache_read = serializers.IntegerField()
    cache_write = serializers.IntegerField()
    reasoning = serializers.IntegerField()
    cost_usd = serializers.FloatField(help_text="Of the calls whose price is known.")
    has_unknown_price = serializers.BooleanField(help_text="Some calls are missing from the cost.")


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


class SessionRow(Shape):
    session_id = serializers.CharField()
    turn_count = serializers.IntegerField()
    last_activity_at = serializers.FloatField()
    session_total_tokens = serializers.IntegerField()


class SessionList(Shape):
    sessions = SessionRow(many=True)


class TurnRow(Shape):
    turn_id = serializers.UUIDField()
    user_message = serializers.CharField()
    agent_response = serializers.CharField()
    session_total_tokens = serializers.IntegerField()
    signals = serializers.DictField()
    metadata = TurnMetadata()
    created_at = serializers.FloatField()


class History(Shape):
    turns = TurnRow(many=True)


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
