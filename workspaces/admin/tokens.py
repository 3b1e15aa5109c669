"""API tokens: issued, shown once, revoked; never edited."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from typing_extensions import override

from workspaces.admin.access import access_of
from workspaces.admin.base import WorkspaceModelAdmin
from workspaces.admin.filters import WorkspaceFilter
from workspaces.admin.forms import TokenForm
from workspaces.models import ApiToken
from workspaces.roles import Scope
from workspaces.tokens import issue_token, revoke_token


@admin.register(ApiToken)
class ApiTokenAdmin(WorkspaceModelAdmin):
    form = TokenForm
    view_scope = Scope.MEMBERS_WRITE
    write_scope = Scope.MEMBERS_WRITE
    list_display = ("name", "prefix", "workspace", "state", "expires_at", "last_used_at", "created_by")
    list_select_related = ("workspace", "created_by")
    list_filter = (WorkspaceFilter,)
    search_fields = ("name", "prefix")
    actions = ("revoke",)

    @admin.display(description="State")
    def state(self, token: ApiToken) -> str:
        if token.revoked_at:
            return "revoked"
        return "valid" if token.is_valid(timezone.now()) else "expired"

    @admin.action(description="Revoke the selected tokens, at once and for good", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        actor = access_of(request).actor
        revoked = [token for token in queryset.select_related("workspace") if revoke_token(token, actor=actor)]
        self.message_user(request, f"Revoked: {len(revoked)}.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self._allows(request, self.write_scope, None)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        asked = ["workspace", "name", "scopes", "expires_at"]
        return [*asked, "prefix", "state", "created_by", "created_at", "last_used_at", "revoked_at"] if obj else asked

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj) if obj else ()

    @override
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.access = access_of(request)
        return form

    @override
    def save_model(self, request: HttpRequest, obj: ApiToken, form: "ModelForm[Any]", change: bool) -> None:
        access = access_of(request)
        values = form.cleaned_data
        token, text = issue_token(
            values["workspace"],
            name=values["name"],
            actor=access.actor,
            scopes=values["scopes"],
            expires_at=values["expires_at"],
            created_by=access.user,
        )
        obj.pk, obj.prefix = token.pk, token.prefix
        shown = format_html("The token is <code>{}</code> — copy it now, it is not shown again.", text)
        # Messages live in the session or a signed cookie until the next page shows them, and then nowhere.
        self.message_user(request, shown, messages.WARNING)

    @override
    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        return self.response_post_save_add(request, obj)
