"""Which requests: from the parameters of an address to rows, the same for a list, its stream, its charts and its exports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F
from django.db.models.functions import Left

from runtime.kinds import Status
from runtime.models.request import AgentRequestQuerySet
from telemetry.query.ranges import TimeRange, read_range
from workspaces.models import Workspace

PREVIEW = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    span: TimeRange
    conditions: Mapping[str, Any] = field(default_factory=dict)
    """Lookups on a request's row."""
    faults: tuple[str, ...] = ()
    """What was asked for and cannot be found out: said, never dropped in silence."""

    def apply(self, workspace: Workspace) -> AgentRequestQuerySet:
        rows = workspace.agent_requests.filter(**self.conditions)
        if self.span.since:
            rows = rows.filter(accepted_at__gte=self.span.since)
        if self.span.until:
            rows = rows.filter(accepted_at__lt=self.span.until)
        return rows


def read_request_filter(parameters: Mapping[str, str]) -> RequestFilter:
    span, faults = read_range(parameters)
    conditions: dict[str, Any] = {}
    if agent := parameters.get("agent"):
        conditions["agent__agent_id"] = agent
    if session := parameters.get("session"):
        conditions["session_id"] = session
    if user := parameters.get("user"):
        conditions["user"] = user
    if status := parameters.get("status"):
        if status in Status.values:
            conditions["status"] = status
        else:
            faults.append(f"status: {status} is unknown; choose {', '.join(Status.values)}.")
    return RequestFilter(span=span, conditions=conditions, faults=tuple(faults))


def for_list(rows: AgentRequestQuerySet) -> AgentRequestQuerySet:
    """With what a row of a list shows, and no more: long texts are cut by the database."""
    return (
        rows.annotate(agent_name=F("agent__agent_id"), preview=Left("message", PREVIEW))
        .defer("message", "context", "metadata", "limits", "structured_output", "invoke_options", "attachments")
        .order_by("-pk")
    )
