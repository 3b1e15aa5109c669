"""Sessions and turns, to look at. Memory may live in another database, so no page joins it with other tables."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from typing_extensions import override

from agents.memory.models import Session, Turn
from agents.models import Agent
from workspaces.admin.access import access_of
from workspaces.admin.keyset import KeysetAdmin
from workspaces.roles import Scope


@admin.register(Session)
class SessionAdmin(KeysetAdmin):
    view_scope = Scope.SESSIONS_READ
    list_display = ("session_id", "agent_id", "turn_count", "total_tokens", "last_activity_at")
    search_fields = ("session_id",)
    search_help_text = "A whole session id."
    change_form_template = "admin/agents/session_change_form.html"
    fields = ("workspace", "agent_id", "session_id", "turn_count", "total_tokens", "last_activity_at", "turns_link")

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "turns_link"]

    @admin.display(description="Turns")
    def turns_link(self, session: Session) -> str:
        url = reverse("admin:agents_turn_changelist")
        return format_html(
            '<a href="{}?workspace={}&amp;session={}">Turns of this session</a>', url, session.workspace_id, session.pk
        )

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By agent too, because that is how the index is sorted."""
        if not search_term.strip():
            return queryset, False
        agents = access_of(request).bounded(Agent.rows.all(), self.view_scope, "workspace")
        agent_ids = list(agents.values_list("agent_id", flat=True).distinct()[:1000])
        return queryset.filter(agent_id__in=agent_ids, session_id=search_term.strip()), False


class SessionOfTurn(admin.SimpleListFilter):
    """Set by a session's link; there is nothing to choose from."""

    title = "session"
    parameter_name = "session"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = str(request.GET.get(self.parameter_name, ""))
        return [(chosen, f"Session {chosen}")] if chosen.isdecimal() else []

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = str(self.value() or "")
        return queryset.filter(session_id=int(chosen[:18])) if chosen.isdecimal() else queryset


@admin.register(Turn)
class TurnAdmin(KeysetAdmin):
    view_scope = Scope.SESSIONS_READ
    list_display = ("created_at", "asked", "answered", "session", "user")
    list_select_related = ("session",)
    list_filter = (*KeysetAdmin.list_filter, SessionOfTurn)
    search_fields = ("turn_id",)
    search_help_text = "A whole turn id (the trace id of its request)."
    fields = (
        "workspace",
        "turn_id",
        "session",
        "user",
        "user_message",
        "agent_response",
        "session_total_tokens",
        "signals",
        "metadata",
        "created_at",
    )

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists show the start of both texts, which may be long."""
        starts = {"message_start": Left("user_message", 81), "response_start": Left("agent_response", 81)}
        rows: QuerySet[Any] = super().get_queryset(request).annotate(**starts)
        return rows.defer("user_message", "agent_response", "signals", "metadata")

    @admin.display(description="Message")
    def asked(self, turn: Any) -> str:
        return _start(turn.message_start)

    @admin.display(description="Answer")
    def answered(self, turn: Any) -> str:
        return _start(turn.response_start)

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        try:
            return queryset.filter(turn_id=uuid.UUID(search_term.strip())), False
        except ValueError:
            return queryset.none(), False


def _start(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"
