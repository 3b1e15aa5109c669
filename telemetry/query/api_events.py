"""Which calls of the API: from the parameters of an address or a body to rows, the same for page, stream and API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from telemetry.models import ApiEvent
from workspaces.models import Workspace

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FAMILIES = ("2xx", "3xx", "4xx", "5xx")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiEventFilter:
    conditions: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    """What was asked for and cannot be found out."""

    def apply(self, workspace: Workspace) -> QuerySet[ApiEvent]:
        return workspace.api_events.filter(**self.conditions)


def read_api_filter(parameters: Mapping[str, str]) -> ApiEventFilter:
    """Of the page: `method`, `status` (a number or 4xx), `path` (a part of it), `token`, `min_ms`."""
    conditions: dict[str, Any] = {}
    faults: list[str] = []
    if method := parameters.get("method", "").upper():
        conditions["method"] = method
    if path := parameters.get("path"):
        conditions["path__icontains"] = path[:200]
    if token := parameters.get("token"):
        conditions["principal"] = token if ":" in token else f"token:{token}"
    if status := parameters.get("status"):
        conditions |= _status(status, faults)
    if least := parameters.get("min_ms"):
        if least.isdecimal() and len(least) < 9:
            conditions["duration_ms__gte"] = int(least)
        else:
            faults.append(f"min_ms: {least} is no number of milliseconds.")
    return ApiEventFilter(conditions=conditions, faults=tuple(faults))


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
