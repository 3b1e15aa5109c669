"""Bodies and answers of memory's routes, written down for OpenAPI."""

from typing import Any

from rest_framework import serializers
from typing_extensions import override

from runtime.erase import tables_in_reach
from workspaces.api.serializers import BodySerializer, StrictCharField

Shape = serializers.Serializer[Any]


class CompactBody(BodySerializer):
    reason = StrictCharField(default="manual", max_length=100)
    session_total_tokens_reset = serializers.IntegerField(default=0, min_value=0, max_value=10**12)


class ForkBody(BodySerializer):
    after_turn_id = serializers.UUIDField(required=False)
    session_id = StrictCharField(required=False, max_length=255, trim_whitespace=False)


class SignalDefinitionShape(Shape):
    name = serializers.CharField()
    value_type = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    computed_at = serializers.CharField()
    persisted = serializers.BooleanField()


class TurnSignals(Shape):
    turn_id = serializers.UUIDField()
    created_at = serializers.FloatField()
    signals = serializers.DictField()


class SessionSignals(Shape):
    agent_id = serializers.CharField()
    session_id = serializers.CharField()
    definitions = serializers.DictField(child=SignalDefinitionShape())
    turns = TurnSignals(many=True)


class CompactedSession(Shape):
    summary_text = serializers.CharField(allow_blank=True)
    turn_id = serializers.CharField(allow_blank=True, help_text="Both are empty for a session without turns.")


class CompactionAccepted(Shape):
    request_id = serializers.UUIDField(help_text="The compaction goes on as this request.")
    status = serializers.CharField()


class ForkedSession(Shape):
    session_id = serializers.CharField()
    forked_from = serializers.CharField()
    turn_count = serializers.IntegerField()
    session_total_tokens = serializers.IntegerField()


class ErasedCounts(Shape):
    @override
    def get_fields(self) -> dict[str, Any]:
        return {name: serializers.IntegerField() for name in tables_in_reach()}


class ErasedSession(Shape):
    session_id = serializers.CharField()
    erased = ErasedCounts()


class SearchResult(Shape):
    turn_id = serializers.UUIDField()
    session_id = serializers.CharField()
    similarity_score = serializers.FloatField()
    preview = serializers.CharField(allow_blank=True)


class SearchResults(Shape):
    results = SearchResult(many=True)
    app_id = serializers.CharField()
    session_id = serializers.CharField(allow_null=True)
    query = serializers.CharField()
    limit = serializers.IntegerField()
