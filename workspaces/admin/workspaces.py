"""Workspaces: the operator makes them, their admins name and limit them."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from typing_extensions import override

from workspaces.admin.access import access_of
from workspaces.admin.base import WorkspaceModelAdmin
from workspaces.admin.forms import WorkspaceForm
from workspaces.bootstrap import create_workspace
from workspaces.change import change_workspace
from workspaces.models import Workspace
from workspaces.roles import Scope

_LIMITS = ("max_concurrent_requests", "max_queued_requests", "max_attachment_megabytes")
_API_LOG = ("api_log_enabled", "api_log_bodies", "api_log_days")


@admin.register(Workspace)
class WorkspaceAdmin(WorkspaceModelAdmin):
    form = WorkspaceForm
    view_scope = Scope.AGENTS_READ
    write_scope = Scope.MEMBERS_WRITE
    workspace_path = "pk"
    list_display = ("slug", "name", "max_concurrent_requests", "max_queued_requests", "created_at")
    search_fields = ("slug", "name")
    change_form_template = "admin/workspaces/workspace_change_form.html"
    fieldsets = (
        (None, {"fields": ("slug", "name")}),
        ("Limits", {"fields": _LIMITS}),
        (
            "API log",
            {
                "fields": _API_LOG,
                "description": "What is kept of calls to the API. Secrets are taken out.",
            },
        ),
        ("Facts", {"fields": ("host_id", "created_at")}),
    )

    @override
    def workspace_pk_of(self, row: Any) -> int:
        return int(row.pk)

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return access_of(request).is_superuser

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The slug stands in other people's URLs and commands."""
        return ["host_id", "created_at", *(["slug"] if obj else [])]

    @override
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.fieldsets[:-1]

    @override
    def save_model(self, request: HttpRequest, obj: Workspace, form: "ModelForm[Any]", change: bool) -> None:
        actor = access_of(request).actor
        if change:
            change_workspace(obj, {name: form.cleaned_data[name] for name in form.changed_data}, actor=actor)
            return
        created = create_workspace(obj.slug, obj.name, actor=actor)
        chosen = (*_LIMITS, *_API_LOG)
        for name in chosen:
            setattr(created, name, form.cleaned_data[name])
        created.save(update_fields=chosen)
        obj.pk = created.pk
