"""The forms of the ground floor's admin pages."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Q
from typing_extensions import override

from workspaces.admin.access import Access
from workspaces.members import LastOwner, keep_an_owner
from workspaces.models import ApiToken, Membership, User, Workspace
from workspaces.roles import Role, Scope

if TYPE_CHECKING:
    # Generic in the stubs only.
    MembershipForm = forms.ModelForm[Membership]
    ApiTokenForm = forms.ModelForm[ApiToken]
    BaseWorkspaceForm = forms.ModelForm[Workspace]
else:
    MembershipForm = ApiTokenForm = BaseWorkspaceForm = forms.ModelForm

_STAFF = forms.BooleanField(
    required=False,
    label="May sign in to this admin",
    help_text="Staff status. The role decides what the person sees and does here.",
)
_ROLE_HELP = (
    "Viewer: sees agents, sessions and telemetry. Operator: also sends messages and steers requests. Developer: also defines "
    "agents. Admin: also manages members, tokens and credentials. Owner: also decides about owners."
)


class MemberForm(MembershipForm):
    access: Access
    is_staff = _STAFF

    class Meta:
        model = Membership
        fields = ("workspace", "role")
        help_texts = {"role": _ROLE_HELP}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "is_staff" in self.fields and self.instance.user.is_staff:
            # An account may belong to other workspaces too, so only the operator takes staff status away.
            self.fields["is_staff"].initial = True
            self.fields["is_staff"].disabled = True

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        workspace = self.instance.workspace if self.instance.pk else values.get("workspace")
        if values.get("role") and workspace and not self.access.may_give(values["role"], workspace.pk):
            self.add_error("role", "Only an owner makes somebody an owner.")
        if self.instance.pk and values.get("role") not in {None, Role.OWNER}:
            self._keep_an_owner()
        return values

    def _keep_an_owner(self) -> None:
        """Asked again, under a lock, when the role is changed; here so that the answer stands at the field."""
        current = self.instance.workspace.memberships.get(pk=self.instance.pk)
        try:
            keep_an_owner(self.instance.workspace, without=current)
        except LastOwner as error:
            self.add_error("role", str(error))


class NewMemberForm(MemberForm):
    """Names the account instead of offering all of them: whom the deployment knows is nobody else's business."""

    account = forms.CharField(
        max_length=254, label="Account", help_text="User name or e-mail address. The operator creates accounts."
    )

    def clean_account(self) -> User:
        name = self.cleaned_data["account"].strip()
        user = User.objects.filter(Q(username=name) | Q(email__iexact=name), is_active=True).first()
        if user is None:
            raise forms.ValidationError("There is no such account; the operator creates accounts.")
        return user

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean()
        user, workspace = values.get("account"), values.get("workspace")
        if isinstance(user, User) and workspace:
            if workspace.memberships.filter(user=user).exists():
                self.add_error("account", "This person is a member already.")
            self.instance.user = user
        return values


class WorkspaceForm(BaseWorkspaceForm):
    class Meta:
        model = Workspace
        fields = (
            "slug",
            "name",
            "max_concurrent_requests",
            "max_queued_requests",
            "max_attachment_megabytes",
            "api_log_enabled",
            "api_log_bodies",
            "api_log_days",
        )


class TokenForm(ApiTokenForm):
    access: Access
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        initial=Scope.values,
        widget=forms.CheckboxSelectMultiple,
        help_text="What whoever holds the token may do. Give no more than is needed.",
    )

    class Meta:
        model = ApiToken
        fields = ("workspace", "name", "scopes", "expires_at")
        help_texts = {
            "name": "What the token is for, such as “nightly report”.",
            "expires_at": "UTC. Empty: the token is valid until it is revoked.",
        }

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        workspace, asked = values.get("workspace"), values.get("scopes", [])
        if workspace:
            beyond = [scope for scope in asked if not self.access.allows(Scope(scope), workspace.pk)]
            if beyond:
                self.add_error("scopes", f"Nobody gives away more than they have: {', '.join(beyond)}.")
        return values
