"""Sends an agent a message from its page."""

import secrets
from typing import Any

from django import forms
from django.http import HttpResponse
from typing_extensions import override

from agents.models import Agent
from runtime.accept import Submission, accept_request
from runtime.api.serializers import submission_from
from telemetry.web.visit import Visit
from workspaces.errors import MashError
from workspaces.roles import Scope


class TrialForm(forms.Form):
    message = forms.CharField(widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}))
    session_id = forms.CharField(
        required=False,
        max_length=255,
        label="Session",
        help_text="Empty: a new session. The same id goes on with the conversation.",
    )
    submission: Submission

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors:
            session_id = values["session_id"] or f"try-{secrets.token_hex(4)}"
            try:
                self.submission = submission_from({"message": values["message"], "session_id": session_id})
            except MashError as error:
                self.add_error(None, str(error))
        return values


def trial_form(visit: Visit) -> TrialForm:
    is_sent = visit.request.method == "POST"
    return TrialForm(visit.request.POST if is_sent else None, initial={"session_id": visit.request.GET.get("session")})


def send(visit: Visit, agent: Agent, form: TrialForm) -> HttpResponse | None:
    """To the request's page; None when the form has to be shown again, with what is wrong."""
    visit.principal.require(Scope.AGENTS_RUN)
    if not form.is_valid():
        return None
    try:
        accepted = accept_request(visit.principal, agent, form.submission)
    except MashError as error:
        form.add_error(None, str(error))
        return None
    return visit.go(visit.link("request", accepted.agent_request.request_id))
