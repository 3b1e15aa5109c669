"""The API log by query (contract 2.2.14)."""

from datetime import datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from runtime.api.observability import ObservabilityView
from runtime.api.responses import enveloped
from telemetry.api.lookup import optional
from telemetry.api.parameters import AFTER_EVENT_ID, LIMIT
from telemetry.query.api_events import moment
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import InvalidBody, data
from workspaces.api.pagination import whole_number
from workspaces.api.serializers import BodySerializer, StrictCharField, read_body
from workspaces.roles import Scope

SOURCE = "api_event_log"
DEFAULT_EVENTS = 2000
MAX_EVENTS = 20_000
_PARAMETERS = [
    OpenApiParameter("method", OpenApiTypes.STR, description="Only calls by this method."),
    OpenApiParameter("path", OpenApiTypes.STR, description="Only calls of exactly this path."),
    OpenApiParameter("status_code", OpenApiTypes.INT, description="Only answers with this status."),
    OpenApiParameter("from_ts", OpenApiTypes.NUMBER, description="Unix seconds; only calls from then on."),
    OpenApiParameter("to_ts", OpenApiTypes.NUMBER, description="Unix seconds; only calls up to then."),
    AFTER_EVENT_ID,
    LIMIT,
]


class SearchBody(BodySerializer):
    method = StrictCharField(required=False, allow_blank=True, max_length=10)
    path = StrictCharField(required=False, allow_blank=True, max_length=1000)
    path_prefix = StrictCharField(required=False, allow_blank=True, max_length=1000)
    status_code = serializers.IntegerField(required=False, allow_null=True)
    status_code_min = serializers.IntegerField(required=False, allow_null=True)
    status_code_max = serializers.IntegerField(required=False, allow_null=True)
    from_ts = serializers.FloatField(required=False, allow_null=True)
    to_ts = serializers.FloatField(required=False, allow_null=True)
    after_event_id = serializers.IntegerField(required=False, allow_null=True)
    limit = serializers.IntegerField(required=False, allow_null=True)


class ApiEventShape(serializers.Serializer[Any]):
    api_event_id = serializers.IntegerField()
    method = serializers.CharField()
    path = serializers.CharField()
    query_params = serializers.DictField()
    status_code = serializers.IntegerField()
    duration_ms = serializers.IntegerField()
    request_headers = serializers.DictField()
    response_headers = serializers.DictField()
    request_body = serializers.DictField()
    response_body = serializers.DictField()
    client_host = serializers.CharField(allow_null=True)
    event_type = serializers.CharField()
    created_at = serializers.FloatField(help_text="Unix seconds.")
    principal = serializers.CharField(help_text="`token:<prefix>` or a user name.")


class ApiEventPage(serializers.Serializer[Any]):
    events = ApiEventShape(many=True)
    source = serializers.CharField()  # type: ignore[assignment]  # hides an attribute of DRF that nothing here reads
    limit = serializers.IntegerField()


class ApiEventsView(ObservabilityView):
    required_scopes = {"GET": Scope.TELEMETRY_READ}

    @extend_schema(operation_id="list_api_events", parameters=_PARAMETERS, responses=enveloped(ApiEventPage))
    def get(self, request: Request) -> Response:
        """List the newest calls of the API, oldest first; `limit` up to 20000."""
        status = optional(request, "status_code")
        wanted: dict[str, Any] = {
            "method": optional(request, "method"),
            "path": optional(request, "path"),
            "status_code": whole_number(request, "status_code", default=0) if status else None,
            "from_ts": _seconds(request, "from_ts"),
            "to_ts": _seconds(request, "to_ts"),
            "after_event_id": whole_number(request, "after_event_id", default=0, minimum=0),
            "limit": whole_number(request, "limit", default=DEFAULT_EVENTS),
        }
        return _found(request, wanted)


class ApiEventSearchView(ObservabilityView):
    required_scopes = {"POST": Scope.TELEMETRY_READ}

    @extend_schema(operation_id="search_api_events", request=SearchBody, responses=enveloped(ApiEventPage))
    def post(self, request: Request) -> Response:
        """The same with a prefix of the path and a range of statuses."""
        return _found(request, read_body(request, SearchBody))


_LOOKUPS = {
    "path": "path",
    "path_prefix": "path__startswith",
    "status_code": "status_code",
    "status_code_min": "status_code__gte",
    "status_code_max": "status_code__lte",
    "after_event_id": "id__gt",
}


def _found(request: Request, wanted: dict[str, Any]) -> Response:
    conditions = {lookup: wanted[name] for name, lookup in _LOOKUPS.items() if wanted.get(name)}
    if method := wanted.get("method"):
        conditions["method"] = method.upper()
    for name, lookup in (("from_ts", "created_at__gte"), ("to_ts", "created_at__lte")):
        if wanted.get(name):
            conditions[lookup] = _moment(name, wanted[name])
    limit = max(1, min(wanted.get("limit") or DEFAULT_EVENTS, MAX_EVENTS))
    rows = principal_of(request).workspace.api_events.filter(**conditions).order_by("-id")[:limit]
    return data({"events": [row.as_json() for row in rows][::-1], "source": SOURCE, "limit": limit})


def _seconds(request: Request, name: str) -> float | None:
    text = optional(request, name)
    try:
        return float(text) if text else None
    except ValueError:
        raise _invalid(name) from None


def _moment(name: str, seconds: float) -> datetime:
    try:
        return moment(seconds)
    except (ValueError, OverflowError, OSError):
        raise _invalid(name) from None


def _invalid(name: str) -> InvalidBody:
    return InvalidBody([{"type": "invalid", "loc": ["query", name], "msg": "Not a time in Unix seconds."}])
