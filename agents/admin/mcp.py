"""MCP servers of a workspace, and the approval of their tools."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html
from typing_extensions import override

from agents.admin import mcp_tools
from agents.admin.mcp_form import McpServerForm
from agents.mcp.models import McpServer
from workspaces import audit
from workspaces.admin.access import access_of
from workspaces.admin.base import WorkspaceModelAdmin
from workspaces.admin.filters import WorkspaceFilter
from workspaces.roles import Scope

_SECRET_FIELDS = ("headers", "env", "forget_secrets")
_ADDRESS = ("name", "transport", "url", "command", "args", "description", "allowed_tools", "timeout_s")
_QUESTIONS = ("allow_sampling", "allow_elicitation")


@admin.register(McpServer)
class McpServerAdmin(WorkspaceModelAdmin):
    form = McpServerForm
    view_scope = Scope.MEMBERS_WRITE
    write_scope = Scope.MEMBERS_WRITE
    can_delete = True
    fields = (
        "workspace", "name", "is_enabled", "transport", "url", "command", "args", "description", "stored_secrets",
        "headers", "env", "forget_secrets", "allowed_tools", "new_tools_need_approval", "timeout_s", "allow_sampling",
        "allow_elicitation", "tools",
    )  # fmt: skip
    readonly_fields = ("stored_secrets", "tools")
    list_display = ("name", "transport", "is_enabled", "agent_id", "workspace", "created_at")
    list_select_related = ("workspace",)
    list_filter = ("transport", "is_enabled", WorkspaceFilter)
    search_fields = ("name",)

    @override
    def get_fields(self, request: HttpRequest, obj: McpServer | None = None) -> Any:
        """What code defines is changed there; here it can be switched off."""
        if obj is None:
            hidden: tuple[str, ...] = ("stored_secrets", "forget_secrets", "tools")
        else:
            hidden = (*_SECRET_FIELDS, "stored_secrets", "url", "command", "args", *_QUESTIONS) if obj.agent_id else ()
        return [name for name in self.fields if name not in hidden]

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: McpServer | None = None) -> Any:
        fixed = super().get_readonly_fields(request, obj)
        return [*fixed, *_ADDRESS] if obj is not None and obj.agent_id else fixed

    @override
    def has_delete_permission(self, request: HttpRequest, obj: McpServer | None = None) -> bool:
        """The next use would bring a server of code back, with its tools unseen."""
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.agent_id)

    @override
    def get_urls(self) -> list[URLPattern]:
        return [*mcp_tools.urls(self), *super().get_urls()]

    @admin.display(description="Stored secrets")
    def stored_secrets(self, server: McpServer) -> str:
        try:
            names = [*server.headers, *server.env]
        except Exception:  # a key that is gone: the page must open, so that the secrets can be entered anew
            return "They cannot be read with the configured MASH_ENCRYPTION_KEYS."
        return ", ".join(f"{name}: ••••••" for name in names) or "None"

    @admin.display(description="Tools")
    def tools(self, server: McpServer) -> str:
        pins = list(server.pins.defer("definition", "proposed"))
        waiting = sum(pin.awaits_approval for pin in pins)
        url = reverse("admin:agents_mcpserver_tools", args=[server.pk])
        return format_html('<a href="{}">{} seen, {} await approval</a>', url, len(pins), waiting)

    @override
    def save_model(self, request: HttpRequest, obj: McpServer, form: "forms.ModelForm[Any]", change: bool) -> None:
        values = form.cleaned_data
        secrets = {name: values.get(name) or {} for name in ("headers", "env")}
        is_new_secret = any(secrets.values())
        if is_new_secret or values.get("forget_secrets"):
            obj.keep_secrets(**secrets)
        if change:
            obj.save()
        else:
            obj.created_at = timezone.now()
            obj.save(force_insert=True)
        kept = "set" if is_new_secret else ("removed" if values.get("forget_secrets") else "kept")
        changed = [name for name in form.changed_data if name not in _SECRET_FIELDS]
        details = {"changed": changed, "secrets": kept}
        self._audit(request, obj, "mcp_server.changed" if change else "mcp_server.added", details)

    @override
    def delete_model(self, request: HttpRequest, obj: McpServer) -> None:
        self._audit(request, obj, "mcp_server.removed", {})
        obj.delete()

    def _audit(self, request: HttpRequest, server: McpServer, action: str, details: Any) -> None:
        actor = access_of(request).actor
        audit.record(server.workspace, actor=actor, action=action, target=server.name, details=details)
