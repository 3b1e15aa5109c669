"""Telemetry's routes below `/api/v1/telemetry/`; the streams beside them are in `mashsite.asgi`."""

from django.urls import path

from telemetry.api.api_events import ApiEventSearchView, ApiEventsView
from telemetry.api.events import EventsView
from telemetry.api.traces import ReasoningTraceView, TraceListView, TraceView
from telemetry.api.usage import UsageView

app_name = "telemetry"
urlpatterns = [
    path("events", EventsView.as_view(), name="events"),
    path("traces", TraceListView.as_view(), name="trace-list"),
    path("trace", TraceView.as_view(), name="trace-detail"),
    path("reasoning-trace", ReasoningTraceView.as_view(), name="reasoning-trace"),
    path("api/events", ApiEventsView.as_view(), name="api-events"),
    path("api/events/search", ApiEventSearchView.as_view(), name="api-event-search"),
    path("usage", UsageView.as_view(), name="usage"),
]
