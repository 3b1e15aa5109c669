"""The form for a skill that a workspace keeps."""

from typing import TYPE_CHECKING, Any

from django import forms

from agents.admin.definition_form import plain_newlines, text_area
from agents.models import WorkspaceSkill
from agents.workspace_skills import MAX_TEXT_CHARACTERS

if TYPE_CHECKING:
    SkillModelForm = forms.ModelForm[WorkspaceSkill]
else:
    SkillModelForm = forms.ModelForm


class SkillForm(SkillModelForm):
    description = forms.CharField(
        max_length=1000,
        help_text="What the skill is for: by this the model decides when to read it.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    text = text_area(25, f"The instructions, as Markdown; at most {MAX_TEXT_CHARACTERS:,} characters.", required=True)
    note = forms.CharField(
        required=False,
        max_length=200,
        help_text="Why this change? Shown in the version history.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    class Meta:
        model = WorkspaceSkill
        fields = ("workspace", "name", "is_enabled")
        help_texts = {
            "name": "By this name agents choose and read it, such as “refund-policy”. It cannot be changed later.",
            "is_enabled": "A disabled skill is kept, and offered to no agent.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = self.instance.current_version if self.instance.pk else None
        if current:
            self.initial = {"description": current.description, "text": current.text, **self.initial}

    def clean_text(self) -> str:
        text = plain_newlines(self.cleaned_data["text"])
        if not text.strip():
            raise forms.ValidationError("Enter the instructions.")
        if len(text) > MAX_TEXT_CHARACTERS:
            raise forms.ValidationError(f"The text has {len(text):,} characters; {MAX_TEXT_CHARACTERS:,} are allowed.")
        return text
