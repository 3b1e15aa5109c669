"""A request's own page (web-ui 3.3): where its time and money went, while it runs and afterwards."""

import json
import uuid

from django.http import HttpResponse

from runtime.public import request_row
from runtime.steer import VERBS, offered_verbs
from runtime.traces.serialise import event_rows
from telemetry.show.conversation import conversation_of
from telemetry.show.log import find_request
from telemetry.web.trace.detail import read_detail
from telemetry.web.trace.events import read_events
from telemetry.web.trace.page import chosen, read_page
from telemetry.web.visit import Visit, screen
from workspaces.authenticate import Forbidden
from workspaces.errors import MashError
from workspaces.roles import Scope

VIEWS = ("waterfall", "tree", "conversation", "events")
PARTIALS = {"view", "span"}
_MOST_EXPORTED = 20_000


class UnknownVerb(MashError):
    code = "UNKNOWN_VERB"
    status = 404


@screen("requests", Scope.SESSIONS_READ)
def request_page(visit: Visit, request_id: uuid.UUID) -> HttpResponse:
    """`view=waterfall|tree|conversation|events`, `span=<key>`, `show=errors|long|model|tool`, `find=<words>`."""
    parameters = visit.request.GET.dict()
    agent_request = find_request(visit.workspace, request_id)
    page = read_page(agent_request)
    wanted = parameters.get("view", "")
    view = wanted if wanted in VIEWS else VIEWS[0]
    span = page.trace.spans.get(parameters.get("span", ""))
    context = {
        "page": page,
        "agent_request": agent_request,
        "view": view,
        "rows": chosen(page, parameters),
        "detail": read_detail(agent_request, span) if span else None,
        "parts": conversation_of(agent_request).parts.values() if view == "conversation" else None,
        "events": read_events(agent_request, parameters) if view == "events" else None,
        "verbs": offered_verbs(agent_request) if visit.may(Scope.AGENTS_RUN) else [],
        "may_answer": visit.may(Scope.INTERACTIONS_ANSWER),
        "interactions": list(agent_request.interactions.filter(state="open")) if not agent_request.is_terminal else [],
    }
    return visit.render("web/trace/page.html", context, partials=PARTIALS)


@screen("requests", Scope.AGENTS_RUN, methods=("GET", "POST"))
def steer(visit: Visit, request_id: uuid.UUID, verb: str) -> HttpResponse:
    """Asks once more, then does it: a plain form for those without a script."""
    agent_request = find_request(visit.workspace, request_id)
    wanted = VERBS.get(verb)
    if wanted is None:
        raise UnknownVerb("There is no such action.")
    if visit.request.method == "POST":
        shown = wanted.perform(visit.principal, agent_request)
        return visit.go(visit.link("request", shown.request_id))
    context = {"agent_request": agent_request, "verb": wanted}
    return visit.render("web/trace/steer.html", context)


@screen("requests", Scope.SESSIONS_READ)
def export(visit: Visit, request_id: uuid.UUID) -> HttpResponse:
    """The request and its log as JSON, to keep or to send on."""
    agent_request = find_request(visit.workspace, request_id)
    if not visit.may(Scope.TELEMETRY_READ):
        raise Forbidden("This needs the scope telemetry:read.", details={"scope": "telemetry:read"})
    log = list(agent_request.events.select_related("agent_request").order_by("sequence")[:_MOST_EXPORTED])
    content = {"request": request_row(agent_request), "events": event_rows(visit.workspace, log)}
    name = f"request-{agent_request.request_id}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(json.dumps(content, indent=1), content_type="application/json", headers=headers)
