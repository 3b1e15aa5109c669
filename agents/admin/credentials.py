"""Provider credentials: a key goes in and never comes out again."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from typing_extensions import override

from agents import credentials
from agents.credential_form import CredentialForm
from agents.models import ProviderCredential
from workspaces.admin.access import access_of
from workspaces.admin.base import WorkspaceModelAdmin
from workspaces.admin.filters import WorkspaceFilter
from workspaces.roles import Scope


@admin.register(ProviderCredential)
class ProviderCredentialAdmin(WorkspaceModelAdmin):
    form = CredentialForm
    view_scope = Scope.MEMBERS_WRITE
    write_scope = Scope.MEMBERS_WRITE
    can_delete = True
    fields = ("workspace", "name", "kind", "base_url", "key")
    list_display = ("name", "kind", "base_url", "workspace", "created_at")
    list_select_related = ("workspace",)
    list_filter = ("kind", WorkspaceFilter)
    search_fields = ("name",)

    @override
    def save_model(
        self, request: HttpRequest, obj: ProviderCredential, form: "forms.ModelForm[Any]", change: bool
    ) -> None:
        credentials.save_credential(
            obj, key=form.cleaned_data["key"], changed=form.changed_data, actor=access_of(request).actor
        )

    @override
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except credentials.CredentialInUse as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:agents_providercredential_change", args=[object_id]))

    @override
    def delete_model(self, request: HttpRequest, obj: ProviderCredential) -> None:
        credentials.remove_credential(obj, actor=access_of(request).actor)
