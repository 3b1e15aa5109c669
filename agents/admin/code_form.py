"""The form for an agent that code defines: a switch, and what the workspace overrides."""

from typing import Any

from django import forms
from pydantic import ValidationError
from typing_extensions import override

from agents.admin.definition_form import (
    PROVIDERS,
    AgentModelForm,
    credential_choices,
    prompt_from,
    prompt_text,
    text_area,
)
from agents.catalogue import code_agents, code_definition
from agents.check import definition_faults
from agents.definition import AgentDefinition
from agents.models import Agent

OVERRIDES = ("provider", "model", "credential", "system_prompt", "max_steps", "max_tokens", "deadline_s")
_LLM_FIELDS = {"provider", "model", "credential"}


class CodeAgentForm(AgentModelForm):
    definition: AgentDefinition
    provider = forms.ChoiceField(required=False, choices=[("", "As in the code"), *PROVIDERS])
    model = forms.CharField(required=False, max_length=200, widget=forms.TextInput(attrs={"class": "vTextField"}))
    credential = forms.ChoiceField(required=False)
    system_prompt = text_area(10, "")
    max_steps = forms.IntegerField(required=False)
    max_tokens = forms.IntegerField(required=False, label="Max tokens per answer")
    deadline_s = forms.IntegerField(required=False, label="Deadline")

    class Meta:
        model = Agent
        fields = ("is_enabled",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.registered = code_agents()[self.instance.agent_id]
        current: dict[str, Any] = self.instance.overrides
        self.initial = {**self.initial, **current}
        credential = self.fields["credential"]
        assert isinstance(credential, forms.ChoiceField)  # noqa: S101  declared so
        chosen = str(current.get("credential", ""))
        credential.choices = credential_choices(
            [self.instance.workspace], chosen=chosen, empty="As in the code, or the operator's key"
        )
        in_code = code_definition(self.registered, {})
        for name in OVERRIDES:
            self.fields[name].help_text = f"Empty: as in the code ({_shown(in_code, name)})."
        if "system_prompt" in current:
            self.initial["system_prompt"] = prompt_text(self.instance.definition)

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.errors:
            return values
        overrides = {name: values[name] for name in OVERRIDES if values[name] not in {None, ""}}
        if "provider" in overrides:
            # The code's model is another provider's; empty means this one's default.
            overrides.setdefault("model", "")
        if "system_prompt" in overrides:
            overrides["system_prompt"] = prompt_from(overrides["system_prompt"])
        try:
            self.definition = code_definition(self.registered, overrides)
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_input=False):
                self.add_error(str(fault["loc"][0]), f"{fault['msg']}.")
            return values
        self.instance.overrides = overrides
        if _LLM_FIELDS & set(overrides):
            self._check_llm()
        return values

    def _check_llm(self) -> None:
        """Tools are the code's own business; the model is the workspace's once it overrides any part of it."""
        for field, fault in definition_faults(self.instance.workspace, self.definition).items():
            if field in _LLM_FIELDS:
                self.add_error(field, fault)


def _shown(definition: AgentDefinition, name: str) -> str:
    value = prompt_text(definition) if name == "system_prompt" else getattr(definition, name)
    text = "none" if value in {None, ""} else str(value)
    return text if len(text) <= 120 else f"{text[:120]}…"
