"""A request's own page (web-ui 3.3): where its time and money went, while it runs and afterwards."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from runtime.models import AgentRequest, Interaction
from runtime.public import request_row
from runtime.steer import VERBS, offered_verbs
from runtime.traces.serialise import event_rows
from telemetry.show.conversation import conversation_of
from telemetry.show.log import find_request
from telemetry.web.trace.choice import MOST_ROWS, beside, chosen, first_row, matching
from telemetry.web.trace.comparison import compare, offered
from telemetry.web.trace.detail import SpanDetail, read_detail
from telemetry.web.trace.events import read_events
from telemetry.web.trace.page import TracePage, read_page
from telemetry.web.trace.row_html import row_writer
from telemetry.web.visit import Visit, screen
from workspaces.authenticate import Forbidden
from workspaces.errors import MashError
from workspaces.roles import Scope

VIEWS = ("waterfall", "tree", "conversation", "events", "compare")
TABS = ("io", "attributes", "events", "raw")
PARTIALS = {"work"}
_MOST_EXPORTED = 20_000
_STANDING = {"t0", "t1", "from", "gaps"}


class UnknownVerb(MashError):
    code = "UNKNOWN_VERB"
    status = 404


@screen("requests", Scope.SESSIONS_READ)
def request_page(visit: Visit, request_id: uuid.UUID) -> HttpResponse:
    """`view=...`, `span=<key>&tab=...`, `show=<kind>`, `find=<words>`, `fold=all|none`, `flip=<keys>`, `t0=`, `t1=`, `gaps=1`, `with=<id>`."""
    parameters = visit.request.GET.dict()
    agent_request = find_request(visit.workspace, request_id)
    view = _one_of(VIEWS, parameters.get("view", ""))
    page = read_page(agent_request, parameters=parameters)
    is_still = page.inner or _STANDING & parameters.keys() or view == "compare"
    context = {
        "page": page,
        "agent_request": agent_request,
        "view": view,
        "is_live": not agent_request.is_terminal and not is_still,
        "verbs": offered_verbs(agent_request) if visit.may(Scope.AGENTS_RUN) else [],
        "may_steer": visit.may(Scope.AGENTS_RUN),
        "may_answer": visit.may(Scope.INTERACTIONS_ANSWER),
        "interactions": _questions(visit, agent_request),
        "tab": _one_of(TABS, parameters.get("tab", "")),
        "tabs": TABS,
        "detail": _detail(agent_request, page, parameters),
        "beside": beside(page, parameters) if "span" in parameters else None,
        **_shown(visit, page, view),
    }
    return visit.render("web/trace/page.html", context, partials=PARTIALS)


def _questions(visit: Visit, agent_request: AgentRequest) -> list[Interaction]:
    """What it waits for somebody to say; they stand above the part that htmx asks for."""
    if agent_request.is_terminal or visit.target in PARTIALS:
        return []
    return list(agent_request.interactions.filter(state="open"))


def _one_of(names: tuple[str, ...], wanted: str) -> str:
    return wanted if wanted in names else names[0]


def _detail(agent_request: AgentRequest, page: TracePage, parameters: Mapping[str, str]) -> SpanDetail | None:
    span = page.trace.spans.get(parameters.get("span", ""))
    return read_detail(agent_request, span) if span else None


def _shown(visit: Visit, page: TracePage, view: str) -> dict[str, Any]:
    """What only this view needs."""
    parameters = visit.request.GET.dict()
    if view == "events":
        return {"events": read_events(page.agent_request, parameters)}
    if view == "compare":
        comparison = compare(page, parameters.get("with", ""))
        return {"comparison": comparison, "offered": [] if comparison else offered(page.agent_request)}
    if view == "conversation":
        return {"parts": conversation_of(page.agent_request).parts.values()}
    rows = chosen(page, parameters)
    return {
        "rows": rows,
        "table": row_writer(visit.request, slug=visit.workspace.slug, view=view).html(rows),
        "more": _more(page, parameters) if len(rows) == MOST_ROWS or "from" in parameters else None,
    }


def _more(page: TracePage, parameters: Mapping[str, str]) -> dict[str, int]:
    begin, total = first_row(parameters), len(matching(page, parameters))
    later = begin + MOST_ROWS
    return {
        "first": begin + 1,
        "last": min(later, total),
        "total": total,
        "earlier": max(0, begin - MOST_ROWS),
        "later": later if later < total else 0,
    }


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
    """The request and its log as JSON, to keep or to send on; with `span`, that part of the log."""
    agent_request = find_request(visit.workspace, request_id)
    if not visit.may(Scope.TELEMETRY_READ):
        raise Forbidden("This needs the scope telemetry:read.", details={"scope": "telemetry:read"})
    parameters = visit.request.GET.dict()
    detail = _detail(agent_request, read_page(agent_request), parameters) if "span" in parameters else None
    log = detail.events if detail else list(agent_request.events.order_by("sequence")[:_MOST_EXPORTED])
    content = {"request": request_row(agent_request), "events": event_rows(visit.workspace, log)}
    name = f"request-{agent_request.request_id}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(json.dumps(content, indent=1), content_type="application/json", headers=headers)
