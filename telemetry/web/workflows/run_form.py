"""A form for a run's input: a field for each property where the schema is plain enough, else JSON as it is."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from typing_extensions import override

from telemetry.web.typed_json import typed_json

_PLAIN = ("string", "integer", "number", "boolean")
_PREFIX = "input-"


class RunForm(forms.Form):
    """Its `given` is the input, once the form is valid; whether that satisfies the schema is checked when the run starts."""

    def __init__(self, *args: Any, schema: Mapping[str, Any] | None, given: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.properties = _plain_properties(schema)
        if self.properties is None:
            text = json.dumps({} if given is None else given, indent=2, ensure_ascii=False)
            self.fields["json"] = forms.CharField(
                label="Input",
                initial=text,
                widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}),
            )
            return
        required = (schema or {}).get("required", ())
        for name, about in self.properties.items():
            initial = given.get(name, about.get("default")) if isinstance(given, dict) else about.get("default")
            self.fields[f"{_PREFIX}{name}"] = _field(name, about, is_required=name in required, initial=initial)

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.properties is None and "json" in values:
            try:
                values["json"] = typed_json(values["json"])
            except forms.ValidationError as error:
                self.add_error("json", error)
        return values

    @property
    def given(self) -> Any:
        if self.properties is None:
            return self.cleaned_data["json"]
        values = {name: self.cleaned_data.get(f"{_PREFIX}{name}") for name in self.properties}
        return {name: value for name, value in values.items() if value not in (None, "")}


def _plain_properties(schema: Mapping[str, Any] | None) -> Mapping[str, Mapping[str, Any]] | None:
    """None where a form could not say everything that the schema allows."""
    properties = (schema or {}).get("properties")
    if not isinstance(properties, dict) or not properties:
        return None
    is_plain = all(isinstance(each, dict) and each.get("type") in _PLAIN for each in properties.values())
    return properties if is_plain else None


def _field(name: str, about: Mapping[str, Any], *, is_required: bool, initial: Any) -> forms.Field:
    common: dict[str, Any] = {
        "label": about.get("title") or name,
        "help_text": str(about.get("description") or ""),
        "required": is_required,
        "initial": initial,
    }
    if isinstance(about.get("enum"), list):
        empty = [] if is_required else [("", "none")]
        return forms.TypedChoiceField(
            choices=[*empty, *((each, each) for each in about["enum"])], empty_value=None, **common
        )
    match about["type"]:
        case "integer":
            return forms.IntegerField(min_value=about.get("minimum"), max_value=about.get("maximum"), **common)
        case "number":
            return forms.FloatField(min_value=about.get("minimum"), max_value=about.get("maximum"), **common)
        case "boolean":
            return forms.BooleanField(**{**common, "required": False})
    return forms.CharField(max_length=about.get("maxLength"), **common)
