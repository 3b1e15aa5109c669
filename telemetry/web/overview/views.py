"""The overview: what happens now, and what has happened in a span of time (web-ui 3.1)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpResponse

from runtime.models import AgentRequest
from telemetry.query.present import present
from telemetry.query.ranges import ALWAYS
from telemetry.query.requests import RequestFilter, for_list, read_request_filter
from telemetry.web.overview.cards import cards
from telemetry.web.overview.first_run import first_run
from telemetry.web.visit import Visit, screen
from workspaces.models import Workspace
from workspaces.roles import Scope

_MOST_NEWEST = 10
_PARAMETERS = ("range", "from", "to", "agent")


def read_overview_filter(parameters: dict[str, str]) -> RequestFilter:
    return read_request_filter({name: value for name, value in parameters.items() if name in _PARAMETERS})


def newest_requests(workspace: Workspace, which: RequestFilter) -> Sequence[AgentRequest]:
    """Whenever they were."""
    return list(for_list(replace(which, span=ALWAYS).apply(workspace))[:_MOST_NEWEST])


@screen("overview", Scope.TELEMETRY_READ)
def overview(visit: Visit) -> HttpResponse:
    parameters = visit.request.GET.dict()
    which, agent = read_overview_filter(parameters), parameters.get("agent", "")
    context: dict[str, Any] = {"which": which, "agent": agent, "is_live": parameters.get("live") != "0"}
    if visit.target == "cards":
        context["cards"] = cards(visit, which, agent)
        return visit.render("web/overview/page.html", context, partials={"cards"})
    newest = newest_requests(visit.workspace, which)
    if not newest and not agent:
        return _before_the_first_request(visit)
    if visit.target == "first-run":
        return visit.go(visit.link("overview"))
    if parameters.get("cards"):
        context["cards"] = cards(visit, which, agent)
    context |= {"present": present(visit.workspace, which), "newest": newest}
    return visit.render("web/overview/page.html", context)


def _before_the_first_request(visit: Visit) -> HttpResponse:
    return visit.render("web/overview/first_run.html", {"first_run": first_run(visit)}, partials={"first-run"})
