"""The streams of pages that change while somebody looks; each stands below its page's address."""

from django.urls import path

from telemetry.web import converters  # noqa: F401  registers them
from telemetry.web.api_log.stream import api_log_stream
from telemetry.web.chat.stream import exchange_stream
from telemetry.web.inbox.stream import inbox_stream
from telemetry.web.overview.stream import overview_stream
from telemetry.web.requests.export import request_export
from telemetry.web.requests.stream import request_list_stream
from telemetry.web.sessions.stream import session_list_stream, session_page_stream
from telemetry.web.trace.stream import request_page_stream
from telemetry.web.workflows.stream import workflow_stream

_W = "w/<slug:workspace>"

# Channels routes ASGI applications with Django's `path`, whose types know views only.
page_streams = [
    path(f"{_W}/stream", overview_stream),  # type: ignore[arg-type]
    path(f"{_W}/workflows/<str:workflow_id>/stream", workflow_stream),  # type: ignore[arg-type]
    path(f"{_W}/api-log/stream", api_log_stream),  # type: ignore[arg-type]
    path(f"{_W}/inbox/stream", inbox_stream),  # type: ignore[arg-type]
    path(f"{_W}/requests/export", request_export),  # type: ignore[arg-type]
    path(f"{_W}/requests/stream", request_list_stream),  # type: ignore[arg-type]
    path(f"{_W}/chat/requests/<uuid:request_id>/stream", exchange_stream),  # type: ignore[arg-type]
    path(f"{_W}/sessions/stream", session_list_stream),  # type: ignore[arg-type]
    path(f"{_W}/sessions/<str:agent_id>/<session_id:session_id>/stream", session_page_stream),  # type: ignore[arg-type]
    path(f"{_W}/requests/<uuid:request_id>/stream", request_page_stream),  # type: ignore[arg-type]
]
