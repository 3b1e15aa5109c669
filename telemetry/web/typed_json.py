"""JSON that a person has typed into a form."""

from typing import Any

from django.forms import ValidationError

from workspaces.api.parsers import BadJSON, read_json


def typed_json(text: str) -> Any:
    """As strict as the API is with bodies. Raises `ValidationError`."""
    try:
        return read_json(text.encode("utf-8", "replace"))
    except BadJSON as error:
        raise ValidationError(f"It {error.fault}") from error
