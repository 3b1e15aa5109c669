"""The screens of a workspace, below `/w/<workspace>/`; their streams are in `telemetry.live.routes`."""

from django.urls import include, path

from telemetry.web.requests.views import request_list
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
    path(f"{_W}/go/", request_list, name="go"),
    *[
        path(f"{_W}/{name}/", request_list, name=name)
        for name in ("sessions", "inbox", "memory", "signals", "api-log", "usage", "chat", "agents")
    ],
]
