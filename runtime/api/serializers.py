"""Bodies that the runtime's API takes (contract 2.2.3, extensions 3)."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from agents.json_schema import schema_fault
from runtime.accept import Submission
from workspaces.api.envelope import InvalidRequest, PayloadTooLarge
from workspaces.api.serializers import BodySerializer, ObjectField, StrictCharField

MAX_CONTEXT_CHARACTERS = 64 * 1024


class LimitsBody(BodySerializer):
    """Each only tighter than the agent's own."""

    max_steps = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    deadline_s = serializers.FloatField(min_value=0.001, max_value=86_400, required=False)


class SubmitBody(BodySerializer):
    message = StrictCharField(trim_whitespace=False)
    session_id = StrictCharField(trim_whitespace=False, max_length=255)
    context = StrictCharField(  # type: ignore[assignment]  # hides an attribute of DRF that nothing here reads
        trim_whitespace=False, allow_blank=True, required=False, max_length=MAX_CONTEXT_CHARACTERS
    )
    user = StrictCharField(allow_blank=True, required=False, max_length=255)
    multitask = serializers.ChoiceField(["enqueue", "reject", "interrupt"], required=False)
    metadata = ObjectField(max_bytes=16_000, required=False)
    limits = LimitsBody(required=False)
    structured_output = ObjectField(
        max_bytes=64_000, required=False, help_text="JSON Schema that the answer must satisfy."
    )

    def validate_structured_output(self, schema: dict[str, Any]) -> dict[str, Any]:
        if fault := schema_fault(schema):
            raise serializers.ValidationError(f"Not a JSON Schema of draft 2020-12: {fault}")
        return schema


class InteractionBody(BodySerializer):
    interaction_id = StrictCharField(max_length=20)
    response = serializers.JSONField(help_text="What legal answers are depends on the kind of the question.")


def submission_from(values: dict[str, Any]) -> Submission:
    """Trims what the contract trims; blank is not the same fault as missing (contract 2.2.3)."""
    for name in ("message", "session_id"):
        values[name] = values[name].strip()
        if not values[name]:
            raise InvalidRequest(f"{name} must not be blank.", details={"param": name})
    limit = settings.MASH_MAX_MESSAGE_BYTES
    if len(values["message"].encode()) > limit:
        raise PayloadTooLarge(f"message is larger than {limit} bytes.", details={"param": "message", "limit": limit})
    return Submission(**values)
