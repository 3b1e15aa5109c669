"""The site as ASGI: streams are small handlers of their own, everything else is Django."""

import os
import sys

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mashsite.settings")
get_asgi_application()

from asgiref.sync import sync_to_async  # noqa: E402  Django must be set up before what imports models
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.handlers.asgi import ASGIHandler, ASGIRequest  # noqa: E402
from django.http.response import HttpResponseBase  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from mashsite.body_limit import BodyLimit  # noqa: E402
from runtime.stream import request_stream, session_stream  # noqa: E402
from runtime.wait import WaitForEnd  # noqa: E402
from workspaces.postgresql.base import use_connection_pool  # noqa: E402

use_connection_pool()
# Threads that come back from the database wait less for the interpreter: half the latency under load.
sys.setswitchinterval(0.001)


class ThreadedHandler(ASGIHandler):
    """Runs middleware and view in the request's one thread: one hop between threads instead of two per middleware."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware(is_async=False)

    async def get_response_async(self, request: ASGIRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)


stream_patterns = [
    path("api/v1/agent/<str:agent_id>/request/<uuid:request_id>/events", request_stream),
    path("api/v1/agent/<str:agent_id>/sessions/<str:session_id>/events", session_stream),
]
application = ProtocolTypeRouter(
    {"http": URLRouter([*stream_patterns, re_path(r"", WaitForEnd(BodyLimit(ThreadedHandler())))])}
)
