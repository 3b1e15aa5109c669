"""Usage and cost (extensions 7)."""

import base64
import binascii
import json
from datetime import UTC, date, datetime

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runtime.api.observability import ObservabilityView
from runtime.api.responses import enveloped
from runtime.usage.reports import (
    DEFAULT_SPAN,
    GROUPS,
    MAX_ROWS,
    GroupBy,
    Span,
    UsageGroup,
    UsageOf,
    key_length,
    usage_report,
)
from telemetry.api.lookup import optional
from telemetry.api.parameters import CURSOR, GROUP_BY, LIMIT, SINCE, UNTIL, USAGE_OF
from telemetry.api.responses import UsagePage
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import InvalidBody, data
from workspaces.api.pagination import whole_number
from workspaces.roles import Scope


class UsageView(ObservabilityView):
    required_scopes = {"GET": Scope.USAGE_READ}

    @extend_schema(
        operation_id="get_usage",
        parameters=[GROUP_BY, SINCE, UNTIL, *USAGE_OF, LIMIT, CURSOR],
        responses=enveloped(UsagePage),
    )
    def get(self, request: Request) -> Response:
        """Sum up model calls, tokens and cost of the last 30 days or another span. Days count whole, in UTC."""
        group_by, span = _group_by(request), _span(request)
        limit = min(whole_number(request, "limit", default=100, minimum=1), MAX_ROWS)
        after = _after(request, group_by)
        of = UsageOf(**{field: optional(request, name) or "" for field, name in _OF.items()})
        report = usage_report(principal_of(request).workspace, group_by, span, of=of, limit=limit, after=after)
        return data(
            {
                "group_by": group_by,
                "since": span.since.timestamp(),
                "until": span.until.timestamp(),
                "rows": [_row(group) for group in report.groups],
                "totals": report.totals.as_json(),
                "next": _encode(report.next_after) if report.next_after else None,
            }
        )


def _row(group: UsageGroup) -> dict[str, object]:
    return {**group.key, **group.totals.as_json()}


_OF = {"agent": "agent_id", "model": "model", "user": "user"}
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def _group_by(request: Request) -> GroupBy:
    text = optional(request, "group_by") or "day"
    if text not in GROUPS:
        raise _invalid("group_by", f"One of {', '.join(GROUPS)}.")
    return text


def _span(request: Request) -> Span:
    until = _moment(request, "until") or timezone.now()
    since = _moment(request, "since") or max(until, _EARLIEST + DEFAULT_SPAN) - DEFAULT_SPAN
    if since >= until:
        raise _invalid("since", "Must be before `until`.")
    return Span(since=since, until=until)


def _moment(request: Request, name: str) -> datetime | None:
    text = optional(request, name)
    try:
        return datetime.fromtimestamp(float(text), UTC) if text else None
    except (ValueError, OverflowError, OSError):
        raise _invalid(name, "Not a time in Unix seconds.") from None


def _encode(key: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _after(request: Request, group_by: GroupBy) -> list[str] | None:
    text = optional(request, "cursor")
    if text is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not (isinstance(key, list) and len(key) == key_length(group_by) and all(map(_is_text, key))):
            raise ValueError("no key of this report")
        if group_by == "day":
            date.fromisoformat(key[0])
    except (ValueError, binascii.Error, RecursionError):
        raise _invalid("cursor", "Not a cursor that this list gave.") from None
    return key


def _is_text(part: object) -> bool:
    return isinstance(part, str) and "\x00" not in part and part.isprintable()


def _invalid(name: str, message: str) -> InvalidBody:
    return InvalidBody([{"type": "invalid", "loc": ["query", name], "msg": message}])
