"""The screens of a workspace, below `/w/<workspace>/`; their streams are in `telemetry.live.routes`."""

from django.urls import include, path

from telemetry.web import converters  # noqa: F401  registers them
from telemetry.web.attachments import attachment_file
from telemetry.web.memory.views import memory_search
from telemetry.web.requests.views import request_list
from telemetry.web.sessions.detail import session_page
from telemetry.web.sessions.views import session_list
from telemetry.web.signals.views import signal_catalogue
from telemetry.web.trace.views import export, request_page, steer

app_name = "web"
_W = "w/<slug:workspace>"

urlpatterns = [
    path(f"{_W}/", request_list, name="overview"),
    path(f"{_W}/requests/", request_list, name="requests"),
    path(f"{_W}/settings/", include("telemetry.web.settings.urls")),
    path(f"{_W}/requests/<uuid:request_id>/", request_page, name="request"),
    path(f"{_W}/requests/<uuid:request_id>/export", export, name="request-export"),
    path(f"{_W}/requests/<uuid:request_id>/<slug:verb>/", steer, name="steer"),
    path(f"{_W}/sessions/", session_list, name="sessions"),
    path(f"{_W}/sessions/<str:agent_id>/<session_id:session_id>/", session_page, name="session"),
    path(f"{_W}/memory/", memory_search, name="memory"),
    path(f"{_W}/signals/", signal_catalogue, name="signals"),
    path(f"{_W}/attachments/<uuid:attachment_id>/", attachment_file, name="attachment"),
    path(f"{_W}/go/", request_list, name="go"),
    *[path(f"{_W}/{name}/", request_list, name=name) for name in ("inbox", "api-log", "usage", "chat", "agents")],
]
