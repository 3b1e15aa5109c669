"""Which calls of the API: from the parameters of an address or a body to rows, the same for page, stream and API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import IntegerField, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from telemetry.models import ApiEvent
from telemetry.query.ranges import ALWAYS, TimeRange, read_range
from workspaces.models import Workspace

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FAMILIES = ("2xx", "3xx", "4xx", "5xx")
# Of a row in a list; headers and bodies are for the page of one call.
_LISTED = (
    "workspace",
    "method",
    "path",
    "route",
    "status_code",
    "duration_ms",
    "principal",
    "client_host",
    "created_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiEventFilter:
    conditions: Mapping[str, Any] = field(default_factory=dict)
    span: TimeRange = ALWAYS
    faults: tuple[str, ...] = ()
    """What was asked for and cannot be found out."""

    def apply(self, workspace: Workspace) -> QuerySet[ApiEvent]:
        rows = workspace.api_events.filter(**self.conditions)
        if self.span.since:
            rows = rows.filter(created_at__gte=self.span.since)
        if self.span.until:
            rows = rows.filter(created_at__lt=self.span.until)
        return rows

    @property
    def is_narrow(self) -> bool:
        return bool(self.conditions) or self.span.preset != "all"


def read_api_filter(parameters: Mapping[str, str]) -> ApiEventFilter:
    """Of the page: `range`, `method`, `status` (a number or 4xx), `path` (a part of it), `token`, `id`, `min_ms`."""
    conditions: dict[str, Any] = {}
    span, faults = read_range(parameters, default="all")
    if method := parameters.get("method", "").upper():
        conditions["method"] = method
    if path := parameters.get("path"):
        conditions["path__icontains"] = path[:200]
    if token := parameters.get("token"):
        conditions["principal"] = token if ":" in token else f"token:{token}"
    if answer_id := parameters.get("id"):
        conditions["response_headers__x-request-id"] = answer_id[:100]
    if status := parameters.get("status"):
        conditions |= _status(status, faults)
    if least := parameters.get("min_ms"):
        if least.isdecimal() and len(least) < 9:
            conditions["duration_ms__gte"] = int(least)
        else:
            faults.append(f"min_ms: {least} is no number of milliseconds.")
    return ApiEventFilter(conditions=conditions, span=span, faults=tuple(faults))


def for_list(rows: "QuerySet[ApiEvent]") -> "QuerySet[ApiEvent]":
    """What a row shows: without headers and bodies, but with their sizes in bytes and the request that the call is about."""
    sizes = {
        f"{side}_bytes": Cast(KT(f"{side}_body__bytes"), IntegerField(null=True)) for side in ("request", "response")
    }
    return rows.only(*_LISTED).annotate(**sizes, about=KT("query_params__path_params__request_id"))


def _status(text: str, faults: list[str]) -> dict[str, int]:
    if text in FAMILIES:
        first = int(text[0]) * 100
        return {"status_code__gte": first, "status_code__lt": first + 100}
    if text.isdecimal() and len(text) == 3:
        return {"status_code": int(text)}
    faults.append(f"status: {text} is no status; write 404 or 4xx.")
    return {}


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
