"""Requests, to look at: where each stands, its events and its answer."""

import json
import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Min, QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from typing_extensions import override

from agents.models import Turn
from runtime.admin import family, send, steer
from runtime.kinds import TERMINAL_EVENTS, Status
from runtime.models import AgentRequest, AgentRequestQuerySet, RuntimeEvent
from workspaces.admin.keyset import KeysetAdmin
from workspaces.roles import Scope

EVENTS_PER_PAGE = 100


class StatusFilter(admin.SimpleListFilter):
    """Only what an index answers: most requests are completed, so that is not worth a filter."""

    title = "status"
    parameter_name = "status"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unfinished", "Unfinished"), ("failed", "Failed or cancelled")]

    @override
    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "unfinished":
            return _unfinished(queryset)
        if self.value() == "failed":
            return queryset.fallen()
        return queryset


@admin.register(AgentRequest)
class AgentRequestAdmin(KeysetAdmin):
    view_scope = Scope.SESSIONS_READ
    change_form_template = "admin/runtime/request_change_form.html"
    list_display = ("accepted", "short_id", "agent", "session_id", "asked", "state", "duration")
    list_select_related = ("agent",)
    list_filter = (*KeysetAdmin.list_filter, StatusFilter)
    search_fields = ("request_id",)
    search_help_text = "A whole request id or session id."
    fieldsets = (
        (None, {"fields": ("request_id", "workspace", "agent", "version", "session", "state", "turn", "message")}),
        (
            "Run",
            {
                "fields": (
                    "run",
                    "pause_reason",
                    "parent_link",
                    "children_links",
                    "first_link",
                    "reruns_links",
                    "questions",
                )
            },
        ),
        ("Failure", {"fields": ("failure",), "classes": ("collapse",)}),
        ("Times", {"fields": ("accepted_at", "started_at", "finished_at", "duration")}),
        (
            "More",
            {
                "fields": (
                    "created_by",
                    "user",
                    "context",
                    "limits",
                    "metadata",
                    "attachments",
                    "input_tokens",
                    "output_tokens",
                    "attempt",
                ),
                "classes": ("collapse",),
            },
        ),
    )

    @override
    def get_urls(self) -> list[URLPattern]:
        return [*send.urls(self), *steer.urls(self), *super().get_urls()]

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists show the start of a message, which may hold 256 kB."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(message_start=Left("message", 61))
        return rows.defer("message", "context", "metadata", "limits", "error")

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        computed = ("version", "session", "state", "turn", "failure", "duration")
        return [*super().get_readonly_fields(request, obj), *computed, *family.FIELDS]

    parent_link = family.parent_link
    children_links = family.children_links
    first_link = family.first_link
    reruns_links = family.reruns_links
    questions = family.questions

    @admin.display(description="Accepted (UTC)")
    def accepted(self, row: AgentRequest) -> str:
        return f"{row.accepted_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Request")
    def short_id(self, row: AgentRequest) -> str:
        return f"{str(row.request_id)[:8]}…"

    @admin.display(description="Message")
    def asked(self, row: Any) -> str:
        return row.message_start if len(row.message_start) <= 60 else f"{row.message_start[:60]}…"

    @admin.display(description="Status")
    def state(self, row: AgentRequest) -> str:
        note = {Status.WAITING: row.wait_reason, Status.PAUSED: row.pause_reason}.get(Status(row.status), row.reason)
        text = f"{row.status}: {note}" if note and note != "end_turn" else row.status
        return format_html('<span class="status status-{}">{}</span>', row.status, text)

    @admin.display(description="Seconds")
    def duration(self, row: AgentRequest) -> str:
        return "" if row.duration_s is None else f"{row.duration_s:.2f}"

    @admin.display(description="Agent version")
    def version(self, row: AgentRequest) -> str:
        url = reverse("admin:agents_agent_versions", args=[row.agent_id])
        return format_html('<a href="{}">v{}</a>', url, row.agent_version.number)

    @admin.display(description="Session")
    def session(self, row: AgentRequest) -> str:
        url = reverse("admin:runtime_agentrequest_changelist")
        return format_html('<a href="{}?{}">{}</a>', url, _query(row, row.session_id), row.session_id)

    @admin.display(description="Turn")
    def turn(self, row: AgentRequest) -> str:
        if row.trace_id is None:
            return "none"
        rows = Turn.rows.filter(workspace=row.workspace_id, turn_id=row.trace_id)
        pk = rows.values_list("pk", flat=True).first()
        if pk is None:
            return "none"
        return format_html('<a href="{}">{}</a>', reverse("admin:agents_turn_change", args=[pk]), row.trace_id)

    @admin.display(description="Error")
    def failure(self, row: AgentRequest) -> str:
        return (
            format_html("<pre>{}</pre>", json.dumps(row.error, indent=2, ensure_ascii=False)) if row.error else "none"
        )

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        try:
            found = queryset.filter(request_id=uuid.UUID(text))
        except ValueError:
            return queryset.filter(session_id=text), False
        return (found if found.exists() else queryset.filter(session_id=text)), False

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
        row: AgentRequest = context["original"]
        context |= _log_page(row, request.GET.get("events_after", ""))
        context |= {"answer": _answer(row), "may_send": send.may_send(request, row.agent)}
        context["steering"] = steer.offered_verbs(request, row)
        context["is_watched"] = "watch" in request.GET and not row.is_terminal
        response = super().render_change_form(request, context, add, change, form_url, obj)
        if context["is_watched"]:
            # The browser asks again by itself, without a script.
            response["Refresh"] = "1"
        return response


def _unfinished(rows: AgentRequestQuerySet) -> QuerySet[Any]:
    """From the oldest one on: SQLite would else walk all of the workspace's requests for the few that have not ended."""
    oldest = AgentRequest.rows.unfinished().aggregate(oldest=Min("pk"))["oldest"]
    return rows.none() if oldest is None else rows.unfinished().filter(pk__gte=oldest)


def _query(row: AgentRequest, text: str) -> str:
    return urlencode({"workspace": row.workspace_id, "q": text})


def _log_page(row: AgentRequest, after: str) -> dict[str, Any]:
    """One page of the request's events, and where the next one starts."""
    first = int(after[:9]) if after.isdecimal() else 0
    rows = (
        row.events.filter(sequence__gt=first)
        .order_by("sequence")
        .only("sequence", "event_type", "created_at", "loop_index")
    )
    page = list(rows[: EVENTS_PER_PAGE + 1])
    more = page[EVENTS_PER_PAGE - 1].sequence if len(page) > EVENTS_PER_PAGE else None
    return {"events": page[:EVENTS_PER_PAGE], "events_more": more}


def _answer(row: AgentRequest) -> str:
    """The text of a completed request, which its terminal event holds."""
    if row.status != Status.COMPLETED:
        return ""
    event: RuntimeEvent | None = row.events.filter(sequence=row.last_sequence, event_type__in=TERMINAL_EVENTS).first()
    return str(event.payload.get("response", {}).get("text", "")) if event else ""
