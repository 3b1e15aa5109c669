"""The inbox: what agents wait for people to say (web-ui 3.3, extensions 5)."""

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme

from runtime.models import Interaction
from telemetry.query.interactions import TABS, read_interaction_filter, with_request
from telemetry.query.newest import newest_event
from telemetry.query.pages import newest_page
from telemetry.web.inbox.answer import answer
from telemetry.web.inbox.questions import Question, find_interaction, question_of
from telemetry.web.visit import Visit, screen
from workspaces.errors import MashError
from workspaces.roles import Scope

PAGE_SIZE = 30


@screen("inbox", Scope.SESSIONS_READ)
def inbox(visit: Visit) -> HttpResponse:
    parameters = visit.request.GET.dict()
    newest = newest_event(visit.workspace)
    which = read_interaction_filter(parameters)
    page = newest_page(with_request(which.apply(visit.workspace)), parameters.get("cursor", ""), size=PAGE_SIZE)
    context = {
        "which": which,
        "tabs": TABS,
        "page": page,
        "questions": [question_of(row) for row in page.rows],
        "cursor": newest,
        "is_live": not parameters.get("cursor"),
        "may_answer": visit.may(Scope.INTERACTIONS_ANSWER),
    }
    return visit.render("web/inbox/page.html", context, partials={"results"})


@screen("inbox", Scope.SESSIONS_READ, methods=("GET", "POST"))
def interaction(visit: Visit, interaction_id: str) -> HttpResponse:
    """One question; its answer is sent here from wherever the question is shown."""
    row = find_interaction(visit.workspace, interaction_id)
    if visit.request.method != "POST":
        return _shown(visit, question_of(row))
    visit.principal.require(Scope.INTERACTIONS_ANSWER)
    try:
        answer(visit.principal, row, visit.request.POST)
    except MashError as error:
        row = find_interaction(visit.workspace, interaction_id)
        typed = visit.request.POST.get("response", "")
        return _shown(visit, question_of(row, fault=error.message, typed=typed), status=error.status)
    if visit.request.headers.get("HX-Request"):
        return _shown(visit, question_of(find_interaction(visit.workspace, interaction_id)))
    return visit.go(_next(visit, row))


def _shown(visit: Visit, question: Question, *, status: int = 200) -> HttpResponse:
    """The page, or the question alone where htmx has sent its form."""
    context = {"question": question, "may_answer": visit.may(Scope.INTERACTIONS_ANSWER)}
    if not visit.request.headers.get("HX-Request"):
        return visit.render("web/inbox/interaction.html", context, status=status)
    told = {"visit": visit, "slug": visit.workspace.slug, **context}
    return HttpResponse(render_to_string("web/inbox/_question.html", told, request=visit.request), status=status)


def _next(visit: Visit, row: Interaction) -> str:
    """Back to where the answer was given."""
    wanted = visit.request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, {visit.request.get_host()}, require_https=visit.request.is_secure()
    )
    return wanted if is_ours else visit.link("interaction", row.interaction_id)
