"""The API log as a list, and each call as a page (web-ui 3.9, contract 10.3)."""

from django.http import HttpResponse

from telemetry.query.api_events import FAMILIES, METHODS, for_list, read_api_filter
from telemetry.query.pages import newest_page
from telemetry.web.visit import Visit, screen
from workspaces.errors import MashError
from workspaces.roles import Scope
from workspaces.scoping import only

PAGE_SIZE = 50


class ApiEventNotFound(MashError):
    code = "API_EVENT_NOT_FOUND"
    status = 404


@screen("api-log", Scope.TELEMETRY_READ)
def api_log(visit: Visit) -> HttpResponse:
    parameters = visit.request.GET.dict()
    which = read_api_filter(parameters)
    page = newest_page(for_list(which.apply(visit.workspace)), parameters.get("cursor", ""), size=PAGE_SIZE)
    context = {
        "which": which,
        "page": page,
        "methods": METHODS,
        "families": FAMILIES,
        "is_live": parameters.get("live") != "0" and not parameters.get("cursor"),
    }
    return visit.render("web/api_log/page.html", context, partials={"results"})


@screen("api-log", Scope.TELEMETRY_READ)
def api_event(visit: Visit, event_id: int) -> HttpResponse:
    event = only(visit.workspace.api_events.filter(pk=event_id))
    if event is None:
        raise ApiEventNotFound("There is no such call, or it was too old to be kept.")
    parts = [
        ("Query parameters", event.query_params),
        ("Request headers", event.request_headers),
        ("Request body", event.request_body),
        ("Response headers", event.response_headers),
        ("Response body", event.response_body),
        ("Raw event", event.as_json()),
    ]
    context = {"event": event, "parts": parts, "answer_id": event.response_headers.get("x-request-id")}
    return visit.render("web/api_log/event.html", context)
