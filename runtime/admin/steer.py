"""Cancel, resume and rerun from a request's page, each behind a page that asks once more."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from runtime.admin.form_page import form_page
from runtime.cancel import cancel_request
from runtime.kinds import FALLEN, Reason, RequestKind
from runtime.models import AgentRequest
from runtime.rerun import rerun_request
from runtime.resume import resume_request
from workspaces import audit
from workspaces.admin.access import access_of
from workspaces.admin.base import WorkspaceModelAdmin
from workspaces.authenticate import Principal
from workspaces.errors import MashError
from workspaces.roles import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    name: str
    label: str
    explanation: str
    is_offered: Callable[[AgentRequest], bool]
    perform: Callable[[Principal, AgentRequest], AgentRequest]
    """The request to look at afterwards."""


def urls(pages: WorkspaceModelAdmin) -> list[URLPattern]:
    def view(request: HttpRequest, request_pk: int, verb: str) -> HttpResponse:
        return _steer(pages, request, request_pk, verb)

    route = "<int:request_pk>/steer/<slug:verb>/"
    return [path(route, pages.admin_site.admin_view(view), name="runtime_agentrequest_steer")]


def offered_verbs(request: HttpRequest, agent_request: AgentRequest) -> list[Verb]:
    """What this person may do to the request as it stands."""
    if not access_of(request).allows(Scope.AGENTS_RUN, agent_request.workspace_id):
        return []
    return [verb for verb in _VERBS.values() if verb.is_offered(agent_request)]


def _steer(pages: WorkspaceModelAdmin, request: HttpRequest, request_pk: int, name: str) -> HttpResponse:
    agent_request = _agent_request(request, request_pk)
    verb = _VERBS.get(name)
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


def _cancel(principal: Principal, agent_request: AgentRequest) -> AgentRequest:
    # Not in one transaction: a family of requests ends in several.
    _record(principal, agent_request, "request.cancelled")
    cancel_request(agent_request, reason=Reason.CANCELLED, by=principal.name)
    return agent_request


def _resume(principal: Principal, agent_request: AgentRequest) -> AgentRequest:
    with transaction.atomic():
        _record(principal, agent_request, "request.resumed")
        return resume_request(agent_request, by=principal.name)


def _rerun(principal: Principal, agent_request: AgentRequest) -> AgentRequest:
    with transaction.atomic():
        _record(principal, agent_request, "request.rerun")
        return rerun_request(principal, agent_request)


def _record(principal: Principal, agent_request: AgentRequest, action: str) -> None:
    audit.record(principal.workspace, actor=principal.name, action=action, target=str(agent_request.request_id))


def _agent_request(request: HttpRequest, request_pk: int) -> AgentRequest:
    rows = access_of(request).bounded(AgentRequest.rows.with_relatives(), Scope.SESSIONS_READ, "workspace")
    agent_request: AgentRequest | None = rows.filter(pk=request_pk).first()
    if agent_request is None:
        raise Http404("There is no such request.")
    return agent_request


_VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            name="cancel",
            label="Cancel",
            explanation="It stops at once, or within two seconds if it runs, and so does whatever it has delegated. "
            "It can be resumed later.",
            is_offered=lambda row: not row.is_terminal,
            perform=_cancel,
        ),
        Verb(
            name="resume",
            label="Resume",
            explanation="It goes on where its log ends, with the same id and trace: finished steps are not repeated.",
            is_offered=lambda row: row.status in FALLEN,
            perform=_resume,
        ),
        Verb(
            name="rerun",
            label="Rerun",
            explanation="Its message is sent again as a new request, which reads the session as it is today.",
            is_offered=lambda row: row.is_terminal and row.kind == RequestKind.TURN,
            perform=_rerun,
        ),
    )
}
