"""The runtime's routes below `/api/v1/`; the streams beside them are in `mashsite.asgi`."""

from django.urls import URLPattern, path

from runtime.api.agents import AgentListView, AgentView, HealthView
from runtime.api.attachments import AttachmentView, UploadView
from runtime.api.control import CancelView, RerunView, ResumeView, TraceStatusView
from runtime.api.interactions import AnswerView, InteractionListView
from runtime.api.memory import CompactView, ForkView, SignalsView
from runtime.api.memory_search import MemorySearchView
from runtime.api.requests import RequestListView, RequestStatusView, RequestView, SubmitView
from runtime.api.sessions import HistoryView, SessionListView, SessionView

app_name = "runtime"
_AGENT = "agent/<str:agent_id>"


def _control(subject: str, name: str) -> list[URLPattern]:
    """Steering a request, however it is addressed."""
    views = {"cancel": CancelView, "resume": ResumeView, "rerun": RerunView}
    return [path(f"{_AGENT}/{subject}/{verb}", view.as_view(), name=f"{name}-{verb}") for verb, view in views.items()]


urlpatterns = [
    path("health", HealthView.as_view(), name="health"),
    path("attachments", UploadView.as_view(), name="upload"),
    path("attachments/<uuid:attachment_id>", AttachmentView.as_view(), name="attachment"),
    path("agent", AgentListView.as_view(), name="agent-list"),
    path(_AGENT, AgentView.as_view(), name="agent-detail"),
    path(f"{_AGENT}/request", SubmitView.as_view(), name="submit"),
    path(f"{_AGENT}/requests", RequestListView.as_view(), name="request-list"),
    path(f"{_AGENT}/request/<uuid:request_id>", RequestView.as_view(), name="request-detail"),
    path(f"{_AGENT}/request/<uuid:request_id>/status", RequestStatusView.as_view(), name="request-status"),
    *_control("request/<uuid:request_id>", "request"),
    path(f"{_AGENT}/request/<uuid:request_id>/interaction", AnswerView.as_view(), name="answer"),
    path(f"{_AGENT}/trace/<uuid:trace_id>/status", TraceStatusView.as_view(), name="trace-status"),
    *_control("trace/<uuid:trace_id>", "trace"),
    path("telemetry/memory/search", MemorySearchView.as_view(), name="memory-search"),
    path("interactions", InteractionListView.as_view(), name="interaction-list"),
    path(f"{_AGENT}/sessions", SessionListView.as_view(), name="session-list"),
    # A session id is free text, and a slash in it arrives decoded: the longer route comes first.
    path(f"{_AGENT}/sessions/<path:session_id>/history", HistoryView.as_view(), name="session-history"),
    path(f"{_AGENT}/sessions/<path:session_id>/signals", SignalsView.as_view(), name="session-signals"),
    path(f"{_AGENT}/sessions/<path:session_id>/compact", CompactView.as_view(), name="session-compact"),
    path(f"{_AGENT}/sessions/<path:session_id>/fork", ForkView.as_view(), name="session-fork"),
    path(f"{_AGENT}/sessions/<path:session_id>", SessionView.as_view(), name="session-detail"),
]
