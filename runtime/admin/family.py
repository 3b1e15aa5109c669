"""What a request's page says of its relatives: who delegated it, what it delegated, reruns, and its questions."""

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from runtime.models import AgentRequest

MAX_SHOWN = 50
FIELDS = ("parent_link", "children_links", "first_link", "reruns_links", "questions")


@admin.display(description="Delegated by")
def parent_link(pages: object, row: AgentRequest) -> str:
    return _link(row.parent, f"{row.parent.request_id}") if row.parent else "nobody"


@admin.display(description="Delegated")
def children_links(pages: object, row: AgentRequest) -> str:
    children = row.children.select_related("agent").order_by("pk")[:MAX_SHOWN]
    return _links([(child, f"{child.agent.agent_id}: {child.status}") for child in children])


@admin.display(description="Rerun of")
def first_link(pages: object, row: AgentRequest) -> str:
    return _link(row.rerun_of, f"{row.rerun_of.request_id}") if row.rerun_of else "none"


@admin.display(description="Reruns")
def reruns_links(pages: object, row: AgentRequest) -> str:
    reruns = row.reruns.order_by("pk")[:MAX_SHOWN]
    return _links([(rerun, f"{rerun.request_id}: {rerun.status}") for rerun in reruns])


@admin.display(description="Questions")
def questions(pages: object, row: AgentRequest) -> str:
    asked = row.interactions.order_by("pk")[:MAX_SHOWN]
    return _links([(interaction, f"{interaction.kind}: {interaction.state}") for interaction in asked])


def _links(rows: "list[tuple[Model, str]]") -> str:
    return format_html_join(", ", "{}", ((_link(row, text),) for row, text in rows)) if rows else "none"


def _link(row: Model, text: str) -> SafeString:
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', url, text)
