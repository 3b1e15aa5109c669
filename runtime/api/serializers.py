"""Bodies that the runtime's API takes (contract 2.2.3, extensions 3)."""

import base64
import binascii
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from typing_extensions import override

from agents.json_schema import schema_fault
from runtime.accept import Submission
from runtime.attachments.values import MAX_NAME_CHARACTERS, Reference, Upload
from workspaces.api.envelope import InvalidRequest, PayloadTooLarge
from workspaces.api.serializers import (
    BodySerializer,
    ObjectField,
    StrictCharField,
    StrictFloatField,
    StrictIntegerField,
)

MAX_CONTEXT_CHARACTERS = 64 * 1024


class LimitsBody(BodySerializer):
    """Each only tighter than the agent's own."""

    max_steps = StrictIntegerField(min_value=1, max_value=1000, required=False)
    deadline_s = StrictFloatField(min_value=0.001, max_value=86_400, required=False)
    max_cost_usd = StrictFloatField(min_value=0.000001, max_value=1_000_000, required=False)


@extend_schema_field(OpenApiTypes.BYTE)
class Base64Field(serializers.Field[bytes, Any, str, Any]):
    """Bytes in standard base64. No kind of text field, whose validators look at every single character."""

    @override
    def to_internal_value(self, data: Any) -> bytes:
        if not isinstance(data, str) or not data:
            raise serializers.ValidationError("Not base64 text.", code="base64_type")
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("Not valid base64.", code="base64_invalid") from None


class UploadBody(BodySerializer):
    """A file within JSON."""

    name = StrictCharField(max_length=MAX_NAME_CHARACTERS)
    data = Base64Field(help_text="The content in base64.")  # type: ignore[assignment]  # hides an attribute of DRF


class FileBody(BodySerializer):
    """A file as browsers send it."""

    file = serializers.FileField(allow_empty_file=True)


class AttachmentBody(BodySerializer):
    """A file that was uploaded before, or one that comes along."""

    attachment_id = serializers.UUIDField(required=False)
    name = StrictCharField(required=False, allow_blank=True, max_length=MAX_NAME_CHARACTERS)
    data = Base64Field(required=False, help_text="The content in base64.")  # type: ignore[assignment]  # as above

    @override
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("attachment_id" in attrs) == ("data" in attrs):
            raise serializers.ValidationError("Either attachment_id or data.", code="one_of")
        return attrs


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
    attachments = serializers.ListField(
        child=AttachmentBody(), required=False, max_length=settings.MASH_MAX_MESSAGE_ATTACHMENTS
    )
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
    check_message(values["message"])
    attached = tuple(_attached(entry) for entry in values.pop("attachments", ()))
    return Submission(**values, attachments=attached)


def check_message(message: str) -> None:
    limit = settings.MASH_MAX_MESSAGE_BYTES
    if len(message.encode()) > limit:
        raise PayloadTooLarge(f"message is larger than {limit} bytes.", details={"param": "message", "limit": limit})


def _attached(entry: dict[str, Any]) -> Upload | Reference:
    name = entry.get("name", "")
    if "data" in entry:
        return Upload(name=name, content=entry["data"])
    return Reference(attachment_id=entry["attachment_id"], name=name)
