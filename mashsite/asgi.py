"""The site as ASGI: streams are small handlers of their own, everything else is Django."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mashsite.settings")
get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  Django must be set up before what imports models
from django.urls import path, re_path  # noqa: E402

from mashsite.handler import PooledHandler  # noqa: E402
from runtime.h2a.stream import agent_stream  # noqa: E402
from runtime.settle import settle  # noqa: E402
from runtime.socket.consumer import MashConsumer, refuse_socket  # noqa: E402
from runtime.stream import request_stream, session_stream  # noqa: E402
from runtime.wait import WaitForEnd  # noqa: E402
from telemetry.api_log.capture import ApiLog  # noqa: E402
from telemetry.api_log.stream import api_event_stream  # noqa: E402
from telemetry.stream import event_stream  # noqa: E402
from telemetry.web.streams import page_streams  # noqa: E402
from workflows.stream import run_stream  # noqa: E402
from workspaces.connections import keep_connections  # noqa: E402

# Channels routes ASGI applications with Django's `path`, whose types know views only.
stream_patterns = [
    path("api/v1/agent/<str:agent_id>/request/<uuid:request_id>/events", request_stream),  # type: ignore[arg-type]
    path("api/v1/agent/<str:agent_id>/sessions/<path:session_id>/events", session_stream),  # type: ignore[arg-type]
    path("h2a/<str:agent_id>/agent/<str:named>/request/<str:request_id>", agent_stream),  # type: ignore[arg-type]
    path("api/v1/workflows/<str:workflow_id>/runs/<str:run_id>/events", run_stream),  # type: ignore[arg-type]
    path("api/v1/telemetry/events/stream", event_stream),  # type: ignore[arg-type]
    path("api/v1/telemetry/api/events/stream", api_event_stream),  # type: ignore[arg-type]
    *page_streams,
]
everything_else = re_path(r"", WaitForEnd(PooledHandler()))  # type: ignore[arg-type]
socket_patterns = [path("ws/v1/", MashConsumer.as_asgi())]
no_such_socket = re_path(r"", refuse_socket)  # type: ignore[arg-type]
application = ProtocolTypeRouter(
    {
        "http": ApiLog(URLRouter([*stream_patterns, everything_else])),
        "websocket": URLRouter([*socket_patterns, no_such_socket]),
    }
)

keep_connections()
settle()
