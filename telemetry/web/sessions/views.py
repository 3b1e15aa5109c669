"""The list of sessions (web-ui 3.4)."""

from django.http import HttpResponse

from telemetry.query.newest import newest_event
from telemetry.query.pages import latest_page
from telemetry.query.session_figures import figures_of
from telemetry.query.sessions import for_list, pairs_of, read_session_filter
from telemetry.web.sessions.row import rows_of, turnless_of
from telemetry.web.visit import Visit, screen
from workspaces.roles import Scope

PAGE_SIZE = 50
_WHAT_IT_HAS = (
    ("running", "work under way"),
    ("interaction", "an open question"),
    ("error", "a failed request"),
    ("tool_error", "a failed tool"),
)


@screen("sessions", Scope.SESSIONS_READ)
def session_list(visit: Visit) -> HttpResponse:
    parameters = visit.request.GET.dict()
    which = read_session_filter(parameters)
    is_first = not parameters.get("cursor")
    sessions = for_list(visit.workspace, which.apply(visit.workspace))
    page = latest_page(sessions, parameters.get("cursor", ""), by="last_activity_at", size=PAGE_SIZE)
    turnless_in = which.span if is_first else None
    figures = figures_of(visit.workspace, pairs_of(page.rows), turnless_in=turnless_in)
    context = {
        "which": which,
        "what_it_has": _WHAT_IT_HAS,
        "rows": rows_of(page.rows, figures),
        "turnless": [
            begun for begun in turnless_of(page.rows, figures) if which.admits(begun.agent_id, begun.session_id)
        ],
        "next": page.next,
        "cursor": max((each.newest_event for each in figures.values()), default=None) or newest_event(visit.workspace),
        "is_live": parameters.get("live") != "0" and is_first,
    }
    return visit.render("web/sessions/page.html", context, partials={"results"})
