"""The list of requests (web-ui 3.2)."""

from django.http import HttpResponse

from telemetry.query.counts import facets, histogram
from telemetry.query.pages import latest_page
from telemetry.query.requests import for_list, read_request_filter
from telemetry.query.saved_views import read_ground
from telemetry.web.requests.charts import facet_groups, histogram_chart
from telemetry.web.requests.columns import COLUMNS, columns_text
from telemetry.web.requests.page import (
    address,
    around,
    chosen_view,
    may_run,
    opens_view,
    parameters_of,
    row_context,
    shown_columns,
)
from telemetry.web.requests.peek import find_peek
from telemetry.web.visit import Visit, screen
from workspaces.roles import Scope

PAGE_SIZE = 50


@screen("requests", Scope.SESSIONS_READ)
def request_list(visit: Visit) -> HttpResponse:
    """The filters of `telemetry.query`, and `cols`, `view`, `live`, `cursor`, `peek` and `facets`."""
    parameters = parameters_of(visit)
    if ticked := visit.request.GET.getlist("col"):
        return visit.go(address(visit, {**parameters, "col": "", "cols": columns_text(ticked)}))
    peek = find_peek(visit.workspace, visit.request.GET.get("peek", ""))
    if visit.target == "peek":
        return visit.render("web/requests/page.html", {"peek": peek}, partials={"peek"})
    ground = read_ground(visit.workspace, visit.principal.user)
    view = chosen_view(parameters, ground)
    if view and opens_view(parameters, view):
        return visit.go(address(visit, {**parameters, **view.filters}))
    which = read_request_filter(parameters)
    cursor = visit.request.GET.get("cursor", "")
    page = latest_page(for_list(which.apply(visit.workspace)), cursor, by="accepted_at", size=PAGE_SIZE)
    rows = row_context(parameters, may_run=may_run(visit))
    context = {
        "which": which,
        "page": page,
        "cursor": ground.newest_event,
        "is_live": parameters.get("live") != "0" and not cursor,
        "peek": peek,
        "columns": shown_columns(rows["cols"]),
        "all_columns": COLUMNS,
        **around(visit, which, ground),
        **rows,
        **(_figures(visit) if parameters.get("facets") else {}),
    }
    return visit.render("web/requests/page.html", context, partials={"results"})


@screen("requests", Scope.SESSIONS_READ)
def request_histogram(visit: Visit) -> HttpResponse:
    """How many there are over time; a part of the list's page, which is where it leads without a script."""
    parameters = parameters_of(visit)
    if visit.target != "histogram":
        return visit.go(address(visit, parameters | {"facets": "1"}))
    found = histogram(visit.workspace, read_request_filter(parameters))
    context = {"histogram": found, "chart": histogram_chart(visit, found)}
    return visit.render("web/requests/page.html", context, partials={"histogram"})


@screen("requests", Scope.SESSIONS_READ)
def request_facets(visit: Visit) -> HttpResponse:
    """What the newest of them have in common; a part of the list's page."""
    parameters = parameters_of(visit)
    if visit.target != "facets":
        return visit.go(address(visit, parameters | {"facets": "1"}))
    found = facets(visit.workspace, read_request_filter(parameters))
    context = {"facets": found, "groups": facet_groups(visit, found)}
    return visit.render("web/requests/page.html", context, partials={"facets"})


def _figures(visit: Visit) -> dict[str, object]:
    """Both at once, for those without a script."""
    which = read_request_filter(parameters_of(visit))
    over_time, common = histogram(visit.workspace, which), facets(visit.workspace, which)
    return {
        "histogram": over_time,
        "chart": histogram_chart(visit, over_time),
        "facets": common,
        "groups": facet_groups(visit, common),
    }
