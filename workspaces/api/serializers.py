"""The base of all request bodies: every field checked, unknown ones refused, faults told field by field."""

import json
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.validators import ProhibitSurrogateCharactersValidator
from typing_extensions import override

from workspaces.api.envelope import InvalidBody


class BodySerializer(serializers.Serializer[Any]):
    """A request body. An option that is not understood is refused, never silently ignored."""

    @override
    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError(
                    {name: ["Unknown field."] for name in unknown}, code="extra_forbidden"
                )
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """Text and nothing else: a number or a boolean is not quietly turned into text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # DRF's own looks at each character in Python, which takes seconds for a body of megabytes.
        others = [each for each in self.validators if not isinstance(each, ProhibitSurrogateCharactersValidator)]
        self.validators = [*others, _refuse_half_characters]

    @override
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    """A whole number and nothing else: no text that looks like one, no boolean."""

    @override
    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictFloatField(serializers.FloatField):
    """A number and nothing else."""

    @override
    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            self.fail("invalid")
        return super().to_internal_value(data)


class ObjectField(serializers.JSONField):
    """A JSON object whose text is at most `max_bytes` long and holds nothing that PostgreSQL cannot keep."""

    def __init__(self, *, max_bytes: int, **kwargs: Any) -> None:
        self.max_bytes = max_bytes
        super().__init__(**kwargs)

    @override
    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Not an object.", code="dict_type")
        text = json.dumps(data)
        if len(text) > self.max_bytes:
            raise serializers.ValidationError(f"Larger than {self.max_bytes} bytes.", code="too_long")
        if "\\u0000" in text:
            raise serializers.ValidationError("Null characters are not allowed.", code="null_characters_not_allowed")
        _refuse_half_characters(json.dumps(data, ensure_ascii=False))
        return data


def _refuse_half_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        fault = "Half a surrogate pair is not text."
        raise serializers.ValidationError(fault, code="surrogate_characters_not_allowed") from None


def read_body(request: Request, serializer_class: type[BodySerializer]) -> dict[str, Any]:
    """The checked body, or `InvalidBody`."""
    return read(serializer_class, request.data, place="body")


def read(serializer_class: type[BodySerializer], values: Any, *, place: str) -> dict[str, Any]:
    serializer = serializer_class(data=values)
    if serializer.is_valid():
        return dict(serializer.validated_data)
    raise InvalidBody(_faults(serializer.errors, [place]))


def _faults(errors: Any, place: list[str]) -> list[dict[str, Any]]:
    if isinstance(errors, dict):
        nested = ((value, place if key == "non_field_errors" else [*place, str(key)]) for key, value in errors.items())
        return [fault for value, where in nested for fault in _faults(value, where)]
    return [{"type": getattr(error, "code", "invalid"), "loc": place, "msg": str(error)} for error in errors]
