"""The screens of a workspace, below `/w/<workspace>/`; their streams are in `telemetry.live.routes`."""

from django.urls import include, path

from telemetry.web.agents.detail import agent_detail
from telemetry.web.agents.listing import agent_list
from telemetry.web.overview.views import overview
from telemetry.web.requests.views import request_list
from telemetry.web.trace.views import export, request_page, steer
from telemetry.web.usage.views import usage

app_name = "web"
_W = "w/<slug:workspace>"

urlpatterns = [
    path(f"{_W}/", overview, name="overview"),
    path(f"{_W}/requests/", request_list, name="requests"),
    path(f"{_W}/requests/<uuid:request_id>/", request_page, name="request"),
    path(f"{_W}/requests/<uuid:request_id>/export", export, name="request-export"),
    path(f"{_W}/requests/<uuid:request_id>/<slug:verb>/", steer, name="steer"),
    path(f"{_W}/usage/", usage, name="usage"),
    path(f"{_W}/agents/", agent_list, name="agents"),
    path(f"{_W}/agents/<path:agent_id>/", agent_detail, name="agent"),
    path(f"{_W}/settings/", include("telemetry.web.settings.urls")),
    path(f"{_W}/go/", request_list, name="go"),
    *[
        path(f"{_W}/{name}/", request_list, name=name)
        for name in ("sessions", "inbox", "memory", "signals", "api-log", "chat")
    ],
]
