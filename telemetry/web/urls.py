"""The screens of a workspace, below `/w/<workspace>/`; their streams are in `telemetry.web.streams`."""

from django.urls import include, path

from telemetry.web import converters  # noqa: F401  registers them
from telemetry.web.agents.detail import agent_detail
from telemetry.web.agents.listing import agent_list
from telemetry.web.api_log.views import api_event, api_log
from telemetry.web.attachments import attachment_file
from telemetry.web.chat.views import chat_agent, chat_home, chat_session, chat_stop
from telemetry.web.evals.datasets import dataset_export, dataset_page, to_dataset
from telemetry.web.evals.experiments import experiment_new, experiment_page
from telemetry.web.evals.kept import kept_rows
from telemetry.web.evals.listing import evals
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
from telemetry.web.workflows.hooks import change_hooks
from telemetry.web.workflows.listing import workflow_list
from telemetry.web.workflows.page import workflow_page
from telemetry.web.workflows.runs import rerun, run_page, start
from telemetry.web.workflows.schedules import schedule_new, schedule_page
from telemetry.web.workflows.webhooks import webhook_list, webhook_page

app_name = "web"
_W = "w/<slug:workspace>"
_WORKFLOW = f"{_W}/workflows/<str:workflow_id>/"

urlpatterns = [
    path(f"{_W}/", overview, name="overview"),
    path(f"{_W}/requests/", request_list, name="requests"),
    path(f"{_W}/requests/histogram/", request_histogram, name="request-histogram"),
    path(f"{_W}/requests/facets/", request_facets, name="request-facets"),
    path(f"{_W}/requests/views/", change_views, name="request-views"),
    path(f"{_W}/requests/chosen/<slug:verb>/", change_chosen, name="request-chosen"),
    path(f"{_W}/requests/<uuid:request_id>/", request_page, name="request"),
    path(f"{_W}/requests/<uuid:request_id>/export", export, name="request-export"),
    path(f"{_W}/requests/<uuid:request_id>/to-dataset/", to_dataset, name="to-dataset"),
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
    path(f"{_W}/webhooks/", webhook_list, name="webhooks"),
    path(f"{_W}/webhooks/<int:webhook_id>/", webhook_page, name="webhook"),
    path(f"{_W}/workflows/", workflow_list, name="workflows"),
    path(_WORKFLOW, workflow_page, name="workflow"),
    path(f"{_WORKFLOW}run/", start, name="workflow-start"),
    path(f"{_WORKFLOW}runs/<str:run_id>/", run_page, name="run"),
    path(f"{_WORKFLOW}runs/<str:run_id>/rerun/", rerun, name="run-rerun"),
    path(f"{_WORKFLOW}hooks/", change_hooks, name="workflow-hooks"),
    path(f"{_WORKFLOW}schedules/new/", schedule_new, name="schedule-new"),
    path(f"{_WORKFLOW}schedules/<int:schedule_id>/", schedule_page, name="schedule"),
    path(f"{_W}/evals/", evals, name="evals"),
    path(f"{_W}/evals/kept/", kept_rows, name="kept"),
    path(f"{_W}/evals/datasets/<int:dataset_id>/", dataset_page, name="dataset"),
    path(f"{_W}/evals/datasets/<int:dataset_id>/export", dataset_export, name="dataset-export"),
    path(f"{_W}/evals/datasets/<int:dataset_id>/experiments/new/", experiment_new, name="experiment-new"),
    path(f"{_W}/evals/experiments/<int:experiment_id>/", experiment_page, name="experiment"),
    path(f"{_W}/memory/", memory_search, name="memory"),
    path(f"{_W}/signals/", signal_catalogue, name="signals"),
]
