"""What the runtime's API answers, written down for OpenAPI; the views themselves build plain dictionaries."""

from functools import cache
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from agents.models import Agent
from runtime.attachments.values import ENDINGS

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


class UsageTotals(Shape):
    model_calls = serializers.IntegerField()
    input = serializers.IntegerField(help_text="Cached tokens included.")
    output = serializers.IntegerField(help_text="Reasoning tokens included.")
    cache_read = serializers.IntegerField()
    cache_write = serializers.IntegerField()
    reasoning = serializers.IntegerField()
    cost_usd = serializers.FloatField(help_text="Of the calls whose price is known.")
    has_unknown_price = serializers.BooleanField(help_text="Some calls are missing from the cost.")


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
