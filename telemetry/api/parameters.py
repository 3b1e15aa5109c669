"""Query parameters of the telemetry routes, written down for OpenAPI."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from runtime.usage.reports import GROUPS


def _text(name: str, description: str, *, is_required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, description=description, required=is_required)


AGENT_ID = _text("agent_id", "The agent's id.", is_required=True)
SESSION_ID = _text("session_id", "Only this session; blank counts as absent.")
TRACE_ID = _text("trace_id", "Only this trace; blank counts as absent.")
REQUEST_ID = _text("request_id", "Only this request; blank counts as absent.")
AFTER_EVENT_ID = OpenApiParameter("after_event_id", OpenApiTypes.INT, description="Only events with a larger id.")
LIMIT = OpenApiParameter("limit", OpenApiTypes.INT, description="How many rows to answer at most.")
GROUP_BY = OpenApiParameter("group_by", OpenApiTypes.STR, enum=GROUPS, description="`day` by default.")
SINCE = OpenApiParameter("since", OpenApiTypes.NUMBER, description="Unix seconds; 30 days before `until` by default.")
UNTIL = OpenApiParameter("until", OpenApiTypes.NUMBER, description="Unix seconds, not included; now by default.")
USAGE_OF = [
    _text("agent_id", "Only calls of this agent; blank counts as absent."),
    _text("model", "Only calls of this model; blank counts as absent."),
    _text("user", "Only calls for this end user; blank counts as absent."),
]
CURSOR = _text("cursor", "`next` of the page before.")


def one_trace() -> list[OpenApiParameter]:
    return [
        AGENT_ID,
        _text("session_id", "The session's id.", is_required=True),
        _text("trace_id", "The trace's id.", is_required=True),
    ]
