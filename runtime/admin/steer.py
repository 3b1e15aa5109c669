"""Cancel, resume and rerun from a request's page, each behind a page that asks once more."""

from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from runtime import steer
from runtime.admin.form_page import form_page
from runtime.models import AgentRequest
from runtime.steer import VERBS, Verb
from workspaces.admin.access import access_of
from workspaces.admin.base import WorkspaceModelAdmin
from workspaces.errors import MashError
from workspaces.roles import Scope


def urls(pages: WorkspaceModelAdmin) -> list[URLPattern]:
    def view(request: HttpRequest, request_pk: int, verb: str) -> HttpResponse:
        return _steer(pages, request, request_pk, verb)

    route = "<int:request_pk>/steer/<slug:verb>/"
    return [path(route, pages.admin_site.admin_view(view), name="runtime_agentrequest_steer")]


def offered_verbs(request: HttpRequest, agent_request: AgentRequest) -> list[Verb]:
    """What this person may do to the request as it stands."""
    if not access_of(request).allows(Scope.AGENTS_RUN, agent_request.workspace_id):
        return []
    return steer.offered_verbs(agent_request)


def _steer(pages: WorkspaceModelAdmin, request: HttpRequest, request_pk: int, name: str) -> HttpResponse:
    agent_request = _agent_request(request, request_pk)
    verb = VERBS.get(name)
    if verb is None:
        raise Http404("There is no such action.")
    if not access_of(request).allows(Scope.AGENTS_RUN, agent_request.workspace_id):
        raise PermissionDenied
    form = forms.Form(request.POST if request.method == "POST" else None)
    if form.is_valid() and (shown := _perform(request, agent_request, verb, form)):
        url = reverse("admin:runtime_agentrequest_change", args=[shown.pk])
        return HttpResponseRedirect(f"{url}?{urlencode({'watch': 1})}")
    title = f"{verb.label} request {agent_request.request_id}?"
    template = "admin/runtime/steer_request.html"
    return form_page(pages, request, template=template, title=title, row=agent_request, form=form, verb=verb)


def _perform(request: HttpRequest, agent_request: AgentRequest, verb: Verb, form: forms.Form) -> AgentRequest | None:
    try:
        return verb.perform(access_of(request).principal(agent_request.workspace), agent_request)
    except MashError as error:
        form.add_error(None, str(error))
        return None


def _agent_request(request: HttpRequest, request_pk: int) -> AgentRequest:
    rows = access_of(request).bounded(AgentRequest.rows.with_relatives(), Scope.SESSIONS_READ, "workspace")
    agent_request: AgentRequest | None = rows.filter(pk=request_pk).first()
    if agent_request is None:
        raise Http404("There is no such request.")
    return agent_request
