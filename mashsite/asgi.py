"""The site as ASGI: streams are small handlers of their own, everything else is Django."""

import os
import sys

from django.core.asgi import get_asgi_application
from typing_extensions import override

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mashsite.settings")
get_asgi_application()

from asgiref.sync import sync_to_async  # noqa: E402  Django must be set up before what imports models
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.http import HttpRequest  # noqa: E402
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

    @override
    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)


# Channels routes ASGI applications with Django's `path`, whose types know views only.
stream_patterns = [
    path("api/v1/agent/<str:agent_id>/request/<uuid:request_id>/events", request_stream),  # type: ignore[arg-type]
    path("api/v1/agent/<str:agent_id>/sessions/<str:session_id>/events", session_stream),  # type: ignore[arg-type]
]
everything_else = re_path(r"", WaitForEnd(BodyLimit(ThreadedHandler())))  # type: ignore[arg-type]
application = ProtocolTypeRouter({"http": URLRouter([*stream_patterns, everything_else])})
