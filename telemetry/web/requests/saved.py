"""Views of the list: kept under a name, and given up."""

from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import HttpResponse

from telemetry.query.saved_views import save_view
from telemetry.web.visit import Visit, screen
from workspaces.api.envelope import InvalidRequest
from workspaces.roles import Scope

_LONGEST_NAME = 60


@screen("requests", Scope.SESSIONS_READ, methods=("POST",))
def change_views(visit: Visit) -> HttpResponse:
    """`action=save` with `name`, `query` and `is_shared`, or `action=delete` with `view`."""
    form = visit.request.POST
    actions = {"save": _save, "delete": _delete}
    if form.get("action") not in actions or visit.principal.user is None:
        raise InvalidRequest(f"Say what to do: {', '.join(actions)}.")
    return actions[form["action"]](visit)


def _save(visit: Visit) -> HttpResponse:
    form, user = visit.request.POST, visit.principal.user
    name = " ".join(form.get("name", "").replace("\0", "").split())
    if not name or len(name) > _LONGEST_NAME or user is None:
        raise InvalidRequest(f"A view has a name of at most {_LONGEST_NAME} characters.")
    is_shared = bool(form.get("is_shared"))
    if is_shared:
        # It changes what others see
        visit.principal.require(Scope.AGENTS_RUN)
    parameters = dict(parse_qsl(form.get("query", "").replace("\0", "")))
    view = save_view(visit.workspace, user, name=name, parameters=parameters, is_shared=is_shared)
    messages.success(visit.request, f"The view {name} is saved.")
    return visit.go(f"{visit.link('requests')}?view={view.slug}")


def _delete(visit: Visit) -> HttpResponse:
    slug = visit.request.POST.get("view", "")
    deleted, _ = visit.workspace.saved_views.filter(owner=visit.principal.user, slug=slug).delete()
    if not deleted:
        raise InvalidRequest("You have no such view.")
    messages.success(visit.request, "The view is deleted.")
    return visit.go(visit.link("requests"))
