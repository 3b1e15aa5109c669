"""The same done to several requests: asked once more, with what each of them is, then done."""

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse, QueryDict

from runtime.models import AgentRequest
from runtime.steer import VERBS, Verb
from telemetry.web.trace.views import UnknownVerb
from telemetry.web.visit import Visit, screen
from workspaces.api.envelope import InvalidRequest
from workspaces.errors import MashError
from workspaces.roles import Scope

MOST_CHOSEN = 200
_OFFERED = ("cancel", "rerun")


@screen("requests", Scope.AGENTS_RUN, methods=("GET", "POST"))
def change_chosen(visit: Visit, verb: str) -> HttpResponse:
    """`chosen=<request id>`, as often as there are requests, and `back`, the query of the list that they were chosen in."""
    if verb not in _OFFERED:
        raise UnknownVerb("There is no such action.")
    wanted, chosen = VERBS[verb], _chosen(visit)
    able = [row for row in chosen if wanted.is_offered(row)]
    if visit.request.method == "POST":
        return _perform(visit, wanted, able)
    context = {"verb": wanted, "rows": able, "left_out": len(chosen) - len(able), "back": _back(visit)}
    return visit.render("web/requests/bulk.html", context)


def _perform(visit: Visit, wanted: Verb, rows: Sequence[AgentRequest]) -> HttpResponse:
    done, refused = 0, dict[str, int]()
    for row in rows:
        try:
            wanted.perform(visit.principal, row)
            done += 1
        except MashError as error:
            refused[error.message] = refused.get(error.message, 0) + 1
    messages.success(visit.request, f"{wanted.label}: {done} request{'' if done == 1 else 's'}.")
    for message, count in refused.items():
        messages.error(visit.request, f"Refused for {count}: {message}")
    query = _back(visit)
    return visit.go(f"{visit.link('requests')}?{query}" if query else visit.link("requests"))


def _back(visit: Visit) -> str:
    """Of nobody's making: read, and written anew."""
    return QueryDict(_asked(visit).get("back", "")).urlencode()


def _asked(visit: Visit) -> QueryDict:
    return visit.request.POST if visit.request.method == "POST" else visit.request.GET


def _chosen(visit: Visit) -> list[AgentRequest]:
    texts = _asked(visit).getlist("chosen")
    if len(texts) > MOST_CHOSEN:
        raise InvalidRequest(f"At most {MOST_CHOSEN} requests can be changed at once.")
    try:
        ids = {uuid.UUID(text) for text in texts}
    except ValueError as error:
        raise InvalidRequest("That is no id of a request.") from error
    if not ids:
        return []
    return list(visit.workspace.agent_requests.with_relatives().filter(request_id__in=ids).order_by("-pk"))
