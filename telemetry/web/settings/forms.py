"""The forms of Settings. The workspace is given by the page and never asked for."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from agents.credential_form import CredentialForm as AnyCredentialForm
from runtime.models import PriceOverride
from telemetry.web.preferences import DENSITIES, THEMES, time_zones
from workspaces.models import Workspace
from workspaces.roles import Role, Scope, may_give

_LIFETIMES = {7: "7 days", 30: "30 days", 90: "90 days", 365: "a year", 0: "no end"}
ROLE_HELP = {
    Role.OWNER: "also decides about owners",
    Role.ADMIN: "also manages members, tokens, keys and prices",
    Role.DEVELOPER: "also defines agents, in the admin",
    Role.OPERATOR: "also talks to agents, steers and answers",
    Role.VIEWER: "sees everything, changes nothing",
}


class OwnRows:
    """For a `ModelForm`: names are unique in their workspace, so it takes part in the check although no field asks for it."""

    def _get_validation_exclusions(self) -> set[str]:
        exclusions: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # of the ModelForm beside it
        return exclusions - {"workspace"}


def _role_choices(own: str) -> list[tuple[str, str]]:
    return [(role, f"{role.label}: {ROLE_HELP[role]}") for role in reversed(Role) if may_give(own, role)]


class RoleForm(forms.Form):
    role = forms.ChoiceField(widget=forms.RadioSelect)

    def __init__(self, *args: Any, own: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = _role_choices(own)  # type: ignore[attr-defined]  # a ChoiceField


class InvitationForm(RoleForm):
    email = forms.EmailField(required=False, label="E-mail", help_text="Tells you in the list whom the link was for.")
    field_order = ("email", "role")


class TokenForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="What it is for, such as “nightly report”.")
    days = forms.TypedChoiceField(label="Valid for", choices=list(_LIFETIMES.items()), coerce=int, initial=90)
    scopes = forms.MultipleChoiceField(
        label="May", widget=forms.CheckboxSelectMultiple, help_text="Give no more than is needed."
    )
    after = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    """The newest token when the form was made: sent again, it makes no second one."""

    def __init__(self, *args: Any, own: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(scope.value, f"{scope.label} ({scope.value})") for scope in Scope if scope in own]
        self.fields["scopes"].choices = choices  # type: ignore[attr-defined]  # a MultipleChoiceField

    @property
    def expires_at(self) -> Any:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=days) if days else None


class CredentialForm(OwnRows, AnyCredentialForm):
    class Meta(AnyCredentialForm.Meta):
        fields = ("name", "kind", "base_url")  # type: ignore[assignment]  # one less


class PriceForm(OwnRows, forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    class Meta:
        model = PriceOverride
        fields = (
            "provider",
            "model_pattern",
            "input_usd",
            "output_usd",
            "cache_read_usd",
            "cache_write_usd",
            "valid_from",
        )
        labels = {
            "model_pattern": "Model",
            "input_usd": "Input",
            "output_usd": "Output",
            "cache_read_usd": "Cache read",
            "cache_write_usd": "Cache write",
        }
        widgets = {"valid_from": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")}


class WorkspaceForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    tools_requiring_approval = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Tools that need an approval",
        help_text="Names, one a line; in every agent, a person approves their calls. * means all tools.",
    )

    class Meta:
        model = Workspace
        fields = (
            "name",
            "max_concurrent_requests",
            "max_queued_requests",
            "max_attachment_megabytes",
            "tools_requiring_approval",
            "api_log_enabled",
            "api_log_bodies",
            "api_log_days",
        )
        labels = {
            "max_concurrent_requests": "Requests at the same time",
            "max_queued_requests": "Unfinished requests",
            "max_attachment_megabytes": "Megabytes of attachments",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["tools_requiring_approval"] = "\n".join(self.instance.tools_requiring_approval)

    def clean_tools_requiring_approval(self) -> list[str]:
        names = self.cleaned_data["tools_requiring_approval"].replace(",", " ").split()
        return list(dict.fromkeys(names))


class PreferencesForm(forms.Form):
    theme = forms.ChoiceField(widget=forms.RadioSelect, choices=[(name, name.title()) for name in THEMES])
    density = forms.ChoiceField(widget=forms.RadioSelect, choices=[(name, name.title()) for name in DENSITIES])
    tz = forms.ChoiceField(label="Time zone")
    shortcuts = forms.ChoiceField(
        label="Single-key shortcuts", widget=forms.RadioSelect, choices=[("on", "On"), ("off", "Off")]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tz"].choices = [(zone, zone) for zone in time_zones()]  # type: ignore[attr-defined]
