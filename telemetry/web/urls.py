"""The screens of a workspace, below `/w/<workspace>/`; their streams are in `telemetry.web.streams`."""

from django.urls import include, path

from telemetry.web import converters  # noqa: F401  registers them
from telemetry.web.agents.detail import agent_detail
from telemetry.web.agents.listing import agent_list
from telemetry.web.api_log.views import api_event, api_log
from telemetry.web.attachments import attachment_file
from telemetry.web.chat.views import chat_agent, chat_home, chat_session, chat_stop
from telemetry.web.inbox.views import inbox, interaction
from telemetry.web.memory.views import memory_search
from telemetry.web.overview.views import overview
from telemetry.web.requests.bulk import change_chosen
from telemetry.web.requests.go import go
from telemetry.web.requests.saved import change_views
from telemetry.web.requests.views import request_facets, request_histogram, request_list
from telemetry.web.sessions.detail import session_page
from telemetry.web.sessions.views import session_list
from telemetry.web.signals.views import signal_catalogue
from telemetry.web.trace.views import export, request_page, steer
from telemetry.web.usage.views import usage

app_name = "web"
_W = "w/<slug:workspace>"

urlpatterns = [
    path(f"{_W}/", overview, name="overview"),
    path(f"{_W}/requests/", request_list, name="requests"),
    path(f"{_W}/requests/histogram/", request_histogram, name="request-histogram"),
    path(f"{_W}/requests/facets/", request_facets, name="request-facets"),
    path(f"{_W}/requests/views/", change_views, name="request-views"),
    path(f"{_W}/requests/chosen/<slug:verb>/", change_chosen, name="request-chosen"),
    path(f"{_W}/requests/<uuid:request_id>/", request_page, name="request"),
    path(f"{_W}/requests/<uuid:request_id>/export", export, name="request-export"),
    path(f"{_W}/requests/<uuid:request_id>/<slug:verb>/", steer, name="steer"),
    path(f"{_W}/usage/", usage, name="usage"),
    path(f"{_W}/agents/", agent_list, name="agents"),
    path(f"{_W}/agents/<path:agent_id>/", agent_detail, name="agent"),
    path(f"{_W}/settings/", include("telemetry.web.settings.urls")),
    path(f"{_W}/api-log/", api_log, name="api-log"),
    path(f"{_W}/api-log/<int:event_id>/", api_event, name="api-event"),
    path(f"{_W}/go/", go, name="go"),
    path(f"{_W}/attachments/<uuid:attachment_id>/", attachment_file, name="attachment"),
    path(f"{_W}/chat/", chat_home, name="chat"),
    path(f"{_W}/chat/stop/<uuid:request_id>/", chat_stop, name="chat-stop"),
    path(f"{_W}/chat/<str:agent_id>/", chat_agent, name="chat-agent"),
    path(f"{_W}/chat/<str:agent_id>/<session_id:session_id>/", chat_session, name="chat-session"),
    path(f"{_W}/inbox/", inbox, name="inbox"),
    path(f"{_W}/inbox/<str:interaction_id>/", interaction, name="interaction"),
    path(f"{_W}/sessions/", session_list, name="sessions"),
    path(f"{_W}/sessions/<str:agent_id>/<session_id:session_id>/", session_page, name="session"),
    path(f"{_W}/memory/", memory_search, name="memory"),
    path(f"{_W}/signals/", signal_catalogue, name="signals"),
]
