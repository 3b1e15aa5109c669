"""The runtime's routes below `/api/v1/`; the streams beside them are in `mashsite.asgi`."""

from django.urls import path

from runtime.api.agents import AgentListView, AgentView, HealthView
from runtime.api.attachments import AttachmentView, UploadView
from runtime.api.requests import RequestListView, RequestStatusView, RequestView, SubmitView
from runtime.api.sessions import HistoryView, SessionListView, SessionView

app_name = "runtime"
_AGENT = "agent/<str:agent_id>"
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
    path(f"{_AGENT}/sessions", SessionListView.as_view(), name="session-list"),
    # A session id is free text, and a slash in it arrives decoded: the longer route comes first.
    path(f"{_AGENT}/sessions/<path:session_id>/history", HistoryView.as_view(), name="session-history"),
    path(f"{_AGENT}/sessions/<path:session_id>", SessionView.as_view(), name="session-detail"),
]
