"""The list of requests (web-ui 3.2)."""

from django.http import HttpResponse

from telemetry.query.pages import newest_page
from telemetry.query.requests import for_list, read_request_filter
from telemetry.web.visit import Visit, screen
from workspaces.roles import Scope

PAGE_SIZE = 50


@screen("requests", Scope.SESSIONS_READ)
def request_list(visit: Visit) -> HttpResponse:
    parameters = visit.request.GET.dict()
    which = read_request_filter(parameters)
    page = newest_page(for_list(which.apply(visit.workspace)), parameters.get("cursor", ""), size=PAGE_SIZE)
    newest = visit.workspace.events.order_by("-id").values_list("id", flat=True).first() or 0
    context = {
        "which": which,
        "page": page,
        "cursor": newest,
        "is_live": parameters.get("live") != "0" and not parameters.get("cursor"),
        "has_filters": bool(which.expression.parts) or bool(which.span.preset != "24h"),
    }
    return visit.render("web/requests/page.html", context, partials={"results"})
