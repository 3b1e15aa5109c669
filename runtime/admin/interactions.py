"""The inbox: what requests ask people, and what they were answered."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from typing_extensions import override

from runtime.admin import answer
from runtime.models import Interaction
from workspaces.admin.keyset import KeysetAdmin
from workspaces.roles import Scope

_LARGE = ("prompt", "tool_calls", "answer", "schema", "note")
_LARGE_OF_REQUEST = ("message", "context", "metadata", "limits", "error", "attachments", "structured_output")


class StateFilter(admin.SimpleListFilter):
    """What waits for somebody, which is what the list is opened for."""

    title = "state"
    parameter_name = "state"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Interaction.State.choices]

    @override
    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(state=self.value()) if self.value() in Interaction.State.values else queryset


@admin.register(Interaction)
class InteractionAdmin(KeysetAdmin):
    view_scope = Scope.SESSIONS_READ
    change_form_template = "admin/runtime/interaction_change_form.html"
    list_display = ("asked", "agent", "kind", "question", "state", "until", "request_link")
    list_filter = (*KeysetAdmin.list_filter, StateFilter)
    search_fields = ("interaction_id",)
    search_help_text = "A whole interaction id."
    fields = (
        "interaction_id",
        "workspace",
        "agent",
        "request_link",
        "kind",
        "prompt",
        "calls",
        "options",
        "schema",
        "state",
        "deadline",
        "response",
        "note",
        "answered_by",
        "answered_at",
        "created_at",
    )

    @override
    def get_urls(self) -> list[URLPattern]:
        return [*answer.urls(self), *super().get_urls()]

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists show the start of a question; what would run may be large."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(prompt_start=Left("prompt", 61))
        related = rows.select_related("agent_request__agent")
        return related.defer(*_LARGE, *(f"agent_request__{name}" for name in _LARGE_OF_REQUEST))

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "agent", "request_link", "calls", "response"]

    @admin.display(description="Asked (UTC)")
    def asked(self, row: Interaction) -> str:
        return f"{row.created_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Agent")
    def agent(self, row: Interaction) -> str:
        return row.agent_request.agent.agent_id

    @admin.display(description="Question")
    def question(self, row: Any) -> str:
        return row.prompt_start if len(row.prompt_start) <= 60 else f"{row.prompt_start[:60]}…"

    @admin.display(description="Open until (UTC)")
    def until(self, row: Interaction) -> str:
        return f"{row.deadline:%H:%M:%S}" if row.state == Interaction.State.OPEN else ""

    @admin.display(description="Request")
    def request_link(self, row: Interaction) -> str:
        url = reverse("admin:runtime_agentrequest_change", args=[row.agent_request_id])
        return format_html('<a href="{}">{}…</a>', url, str(row.agent_request.request_id)[:8])

    @admin.display(description="What would run")
    def calls(self, row: Interaction) -> str:
        return format_html("<pre>{}</pre>", answer.calls_text(row)) if row.tool_calls else "nothing"

    @admin.display(description="Answer")
    def response(self, row: Interaction) -> str:
        return "none" if row.answer is None else json.dumps(row.answer, ensure_ascii=False)

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        return (queryset.filter(interaction_id=text) if text else queryset), False

    @override
    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["may_answer"] = answer.may_answer(request, context["original"])
        return super().render_change_form(request, context, add, change, form_url, obj)
