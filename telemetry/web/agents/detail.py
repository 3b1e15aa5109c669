"""One agent: how it fares, what it is made of, its tools, its versions, and a message to try it with."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from agents.models import Agent
from runtime.errors import AgentNotFound
from telemetry.query.activity import activity
from telemetry.query.failures import failures
from telemetry.query.requests import RequestFilter, for_list
from telemetry.query.tools import tool_use
from telemetry.web.agents.definition import shown_definition
from telemetry.web.agents.listing import lately, model_name
from telemetry.web.agents.trial import send, trial_form
from telemetry.web.figures.request_charts import latency_chart, requests_chart
from telemetry.web.figures.tiles import tiles
from telemetry.web.links import may_define_agents, requests_link, span_parameters
from telemetry.web.version_history import version_history
from telemetry.web.visit import Visit, screen
from workspaces.roles import Scope
from workspaces.scoping import only

_RECENT = 8
_FAILURES = 5


@screen("agents", Scope.AGENTS_READ, methods=("GET", "POST"))
def agent_detail(visit: Visit, agent_id: str) -> HttpResponse:
    agent = only(visit.workspace.agents.select_related("current_version", "workspace").filter(agent_id=agent_id))
    if agent is None:
        raise AgentNotFound(f"There is no agent {agent_id} in this workspace.")
    asked = visit.request.GET.get("tab", "")
    tab = asked if asked in _TABS else "activity"
    if visit.request.method == "POST":
        return _try(visit, agent)
    return _page(visit, agent, tab, _TABS[tab](visit, agent))


def _try(visit: Visit, agent: Agent) -> HttpResponse:
    form = trial_form(visit)
    return send(visit, agent, form) or _page(visit, agent, "test", {"form": form}, status=422)


def _page(visit: Visit, agent: Agent, tab: str, about: Mapping[str, Any], status: int = 200) -> HttpResponse:
    context = {
        "agent": agent,
        "definition": agent.definition,
        "model": model_name(agent.definition),
        "tab": tab,
        "tabs": tuple(_TABS),
        "admin_url": reverse("admin:agents_agent_change", args=[agent.pk]) if may_define_agents(visit) else "",
        **about,
    }
    return visit.render("web/agents/detail.html", context, status=status)


def _of(visit: Visit, agent: Agent) -> RequestFilter:
    return lately(visit.request.GET.dict(), agent_id=agent.agent_id)


def _activity(visit: Visit, agent: Agent) -> Mapping[str, Any]:
    which = _of(visit, agent)
    found = activity(visit.workspace, which)
    by_bucket, parameters = found.by("bucket"), {**span_parameters(which.span), "agent": agent.agent_id}
    return {
        "which": which,
        "tiles": tiles(visit, found, parameters),
        "has_requests": bool(found.groups),
        "requests": requests_chart(visit, found, by_bucket, agent.agent_id),
        "latency": latency_chart(found, by_bucket),
        "recent": for_list(visit.workspace.agent_requests.filter(agent=agent))[:_RECENT],
        "failures": failures(visit.workspace, which, most=_FAILURES),
        "all_link": requests_link(visit, **parameters),
    }


def _definition(visit: Visit, agent: Agent) -> Mapping[str, Any]:
    return {"shown": shown_definition(visit.workspace, agent)}


def _tools(visit: Visit, agent: Agent) -> Mapping[str, Any]:
    which = _of(visit, agent)
    return {"which": which, "use": tool_use(visit.workspace, agent.agent_id, which.span)}


def _test(visit: Visit, agent: Agent) -> Mapping[str, Any]:
    return {"form": trial_form(visit), "may_run": visit.may(Scope.AGENTS_RUN)}


def _versions(visit: Visit, agent: Agent) -> Mapping[str, Any]:
    return version_history(agent, visit.request.GET.dict())


_TABS: Mapping[str, Callable[[Visit, Agent], Mapping[str, Any]]] = {
    "activity": _activity,
    "definition": _definition,
    "tools": _tools,
    "test": _test,
    "versions": _versions,
}
