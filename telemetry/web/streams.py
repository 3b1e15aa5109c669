"""The streams of pages that change while somebody looks; each stands below its page's address."""

from django.urls import path

from telemetry.web.requests.stream import request_list_stream
from telemetry.web.trace.stream import request_page_stream

_W = "w/<slug:workspace>"

# Channels routes ASGI applications with Django's `path`, whose types know views only.
page_streams = [
    path(f"{_W}/requests/stream", request_list_stream),  # type: ignore[arg-type]
    path(f"{_W}/requests/<uuid:request_id>/stream", request_page_stream),  # type: ignore[arg-type]
]
