"""“Send a test message”: from an agent's page to a durable request, whose page shows how it goes."""

import secrets
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from typing_extensions import override

from agents.models import Agent
from runtime.accept import Submission, accept_request
from runtime.admin.form_page import form_page
from runtime.api.serializers import submission_from
from runtime.models import AgentRequest
from workspaces.admin.access import access_of
from workspaces.admin.base import WorkspaceModelAdmin
from workspaces.errors import MashError
from workspaces.roles import Scope


class TestMessageForm(forms.Form):
    message = forms.CharField(widget=forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField", "autofocus": True}))
    session_id = forms.CharField(
        required=False,
        max_length=255,
        label="Session",
        help_text="Empty: a new session. The same id goes on with the conversation.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    submission: Submission

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors:
            session_id = values["session_id"] or f"admin-{secrets.token_hex(4)}"
            try:
                self.submission = submission_from({"message": values["message"], "session_id": session_id})
            except MashError as error:
                self.add_error(None, str(error))
        return values


def urls(pages: WorkspaceModelAdmin) -> list[URLPattern]:
    """The page's route, as part of the request admin's own; the agent's page links to it by name."""

    def view(request: HttpRequest, agent_pk: int) -> HttpResponse:
        return _send(pages, request, agent_pk)

    return [path("send/<int:agent_pk>/", pages.admin_site.admin_view(view), name="runtime_agentrequest_send")]


def may_send(request: HttpRequest, agent: Agent) -> bool:
    return access_of(request).allows(Scope.AGENTS_RUN, agent.workspace_id)


def _send(pages: WorkspaceModelAdmin, request: HttpRequest, agent_pk: int) -> HttpResponse:
    agent = _agent(request, agent_pk)
    if not may_send(request, agent):
        raise PermissionDenied
    form = TestMessageForm(request.POST or None, initial={"session_id": request.GET.get("session_id", "")})
    if request.method == "POST" and form.is_valid():
        accepted = _accept(request, agent, form)
        if accepted:
            url = reverse("admin:runtime_agentrequest_change", args=[accepted.pk])
            return HttpResponseRedirect(f"{url}?{urlencode({'watch': 1})}")
    return form_page(
        pages,
        request,
        template="admin/runtime/send_message.html",
        title=f"Send a test message to {agent.agent_id}",
        row=agent,
        form=form,
    )


def _agent(request: HttpRequest, agent_pk: int) -> Agent:
    agents = access_of(request).bounded(Agent.rows.all(), Scope.AGENTS_READ, "workspace")
    agent: Agent | None = agents.select_related("workspace", "current_version").filter(pk=agent_pk).first()
    if agent is None:
        raise Http404("There is no such agent.")
    return agent


def _accept(request: HttpRequest, agent: Agent, form: TestMessageForm) -> AgentRequest | None:
    principal = access_of(request).principal(agent.workspace)
    try:
        return accept_request(principal, agent, form.submission).agent_request
    except MashError as error:
        form.add_error(None, str(error))
        return None
