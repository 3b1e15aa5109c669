"""The log by query (contract 2.2.12)."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runtime.api.observability import ObservabilityView
from runtime.api.responses import enveloped
from runtime.traces.serialise import SOURCE, EventFilter, newest_events
from telemetry.api.lookup import agent_of, optional
from telemetry.api.parameters import AFTER_EVENT_ID, AGENT_ID, LIMIT, REQUEST_ID, SESSION_ID, TRACE_ID
from telemetry.api.responses import EventPage
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import data
from workspaces.api.pagination import whole_number
from workspaces.roles import Scope

DEFAULT_EVENTS = 2000
MAX_EVENTS = 20_000


class EventsView(ObservabilityView):
    required_scopes = {"GET": Scope.TELEMETRY_READ}

    @extend_schema(
        operation_id="list_events",
        parameters=[AGENT_ID, SESSION_ID, TRACE_ID, REQUEST_ID, AFTER_EVENT_ID, LIMIT],
        responses=enveloped(EventPage),
    )
    def get(self, request: Request) -> Response:
        """List an agent's newest events, oldest first; `limit` up to 20000."""
        which = EventFilter(
            agent_id=agent_of(request).agent_id,
            session_id=optional(request, "session_id"),
            trace_id=optional(request, "trace_id"),
            request_id=optional(request, "request_id"),
        )
        limit = max(1, min(whole_number(request, "limit", default=DEFAULT_EVENTS), MAX_EVENTS))
        after = whole_number(request, "after_event_id", default=0, minimum=0)
        events = newest_events(principal_of(request).workspace, which, limit=limit, after_event_id=after)
        return data(
            {
                "events": events,
                "source": SOURCE,
                "agent_id": which.agent_id,
                "session_id": which.session_id,
                "trace_id": which.trace_id,
                "limit": limit,
            }
        )
