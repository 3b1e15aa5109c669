"""Telemetry's routes below `/api/v1/telemetry/`; the stream beside them is in `mashsite.asgi`."""

from django.urls import path

from telemetry.api.events import EventsView
from telemetry.api.traces import ReasoningTraceView, TraceListView, TraceView
from telemetry.api.usage import UsageView

app_name = "telemetry"
urlpatterns = [
    path("events", EventsView.as_view(), name="events"),
    path("traces", TraceListView.as_view(), name="trace-list"),
    path("trace", TraceView.as_view(), name="trace-detail"),
    path("reasoning-trace", ReasoningTraceView.as_view(), name="reasoning-trace"),
    path("usage", UsageView.as_view(), name="usage"),
]
