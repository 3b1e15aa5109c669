"""The log, to look at line by line."""

import json
import uuid
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from typing_extensions import override

from runtime.models import AgentRequest, RuntimeEvent
from workspaces.admin.access import access_of
from workspaces.admin.keyset import KeysetAdmin
from workspaces.roles import Scope


@admin.register(RuntimeEvent)
class RuntimeEventAdmin(KeysetAdmin):
    view_scope = Scope.SESSIONS_READ
    list_display = ("time", "event_type", "agent_name", "session_id", "request_link", "sequence")
    list_select_related = ("agent_request",)
    search_fields = ("session_id",)
    search_help_text = "A whole request id or session id."
    change_form_template = "admin/runtime/event_change_form.html"
    fields = (
        "id",
        "event_type",
        "request_link",
        "sequence",
        "agent_name",
        "session_id",
        "trace_id",
        "loop_index",
        "step_key",
        "created_at",
        "content",
    )

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Of the request a list needs its id alone, and of the event no payload: both may be large."""
        names = [field.name for field in self.opts.fields if field.name != "payload"]
        rows = super().get_queryset(request).select_related("agent_request")
        return rows.only(*names, "agent_request__request_id")

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "request_link", "content"]

    @admin.display(description="Time (UTC)")
    def time(self, event: RuntimeEvent) -> str:
        return f"{event.created_at:%Y-%m-%d %H:%M:%S.%f}"[:-3]

    @admin.display(description="Request")
    def request_link(self, event: RuntimeEvent) -> str:
        url = reverse("admin:runtime_agentrequest_change", args=[event.agent_request_id])
        return format_html('<a href="{}">{}…</a>', url, str(event.agent_request.request_id)[:8])

    @admin.display(description="Payload")
    def content(self, event: RuntimeEvent) -> str:
        return format_html("<pre>{}</pre>", json.dumps(event.payload, indent=2, ensure_ascii=False))

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        if (request_pk := _request_pk(request, text)) is not None:
            return queryset.filter(agent_request=request_pk), False
        return queryset.filter(session_id=text), False


def _request_pk(request: HttpRequest, text: str) -> int | None:
    try:
        request_id = uuid.UUID(text)
    except ValueError:
        return None
    rows = access_of(request).bounded(AgentRequest.rows.all(), Scope.SESSIONS_READ, "workspace")
    return rows.filter(request_id=request_id).values_list("pk", flat=True).first()
