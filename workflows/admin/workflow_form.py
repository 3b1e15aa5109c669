"""The form for a workflow that a workspace defines for itself: its definition as YAML, checked before it is saved."""

from typing import TYPE_CHECKING, Any

import yaml
from django import forms
from django.core.validators import RegexValidator
from pydantic import ValidationError
from typing_extensions import override

from agents.admin.definition_form import plain_newlines
from workflows.check import definition_faults
from workflows.definition import WorkflowDefinition
from workflows.models import Workflow

if TYPE_CHECKING:
    WorkflowModelForm = forms.ModelForm[Workflow]
else:
    WorkflowModelForm = forms.ModelForm

_MOST_CHARACTERS = 200_000
_ID = RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", "Use letters, digits, dots, hyphens and underscores.")
_EXAMPLE = """\
description: What it is for
steps:
  - id: ask
    kind: human
    prompt: Shall I go on with ${input.topic}?
  - id: later
    kind: wait
    seconds: 5
"""


class WorkflowForm(WorkflowModelForm):
    definition: WorkflowDefinition
    text = forms.CharField(
        label="Definition",
        widget=forms.Textarea(attrs={"rows": 28, "cols": 100, "class": "vLargeTextField mono", "spellcheck": "false"}),
        help_text="YAML: steps of the kinds agent, code, human, wait, parallel, map, branch and workflow. "
        "docs/workflows.md has all of their fields.",
    )
    note = forms.CharField(
        required=False,
        max_length=200,
        help_text="Why this change? Shown in the version history.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    class Meta:
        model = Workflow
        fields = ("workspace", "workflow_id", "is_enabled", "position")
        help_texts = {
            "workflow_id": "The workflow's name in URLs and logs, such as “nightly-report”. It cannot be changed later."
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = self.instance.current_version if self.instance.pk else None
        text = definition_text(current.definition) if current else _EXAMPLE
        self.initial = {"text": text, **self.initial}
        if not self.instance.pk:
            self.fields["workflow_id"].validators.append(_ID)

    def clean_text(self) -> str:
        text = plain_newlines(self.cleaned_data["text"])
        if len(text) > _MOST_CHARACTERS:
            raise forms.ValidationError(f"At most {_MOST_CHARACTERS:,} characters.")
        try:
            content = yaml.safe_load(text)
            self.definition = WorkflowDefinition.model_validate(content)
        except yaml.YAMLError as error:
            raise forms.ValidationError(f"No YAML: {error}") from error
        except (ValidationError, RecursionError) as error:
            raise forms.ValidationError(_told(error)) from error
        return text

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        workspace = self.instance.workspace if self.instance.pk else values.get("workspace")
        workflow_id = self.instance.workflow_id if self.instance.pk else values.get("workflow_id")
        if workspace and workflow_id and not self.errors:
            for fault in definition_faults(workspace, workflow_id, self.definition):
                self.add_error("text", fault)
        return values


def definition_text(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def _told(error: ValidationError | RecursionError) -> list[str]:
    """Each fault with the place that it is at."""
    if isinstance(error, RecursionError):
        return ["The definition is nested too deeply."]
    return [f"{'.'.join(map(str, fault['loc'])) or 'definition'}: {fault['msg']}" for fault in error.errors()[:20]]
