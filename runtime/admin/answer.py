"""Answering a question of a request from the admin."""

import json
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from runtime.admin.form_page import form_page
from runtime.interactions.answer import answer_interaction
from runtime.models import Interaction
from workspaces import audit
from workspaces.admin.access import access_of
from workspaces.admin.base import WorkspaceModelAdmin
from workspaces.errors import MashError
from workspaces.roles import Scope


class AnswerForm(forms.Form):
    """The field that the kind of the question wants; an approval may come with a note for the model."""

    def __init__(self, data: Any, *, interaction: Interaction) -> None:
        super().__init__(data)
        self._is_approval = interaction.kind == Interaction.Kind.APPROVAL
        self.fields["response"] = _field(interaction)
        if self._is_approval:
            self.fields["note"] = forms.CharField(
                required=False, help_text="For the model.", widget=forms.Textarea(attrs={"rows": 3})
            )

    @property
    def response(self) -> Any:
        """What the API would be sent."""
        response = self.cleaned_data["response"]
        return {"decision": response, "note": self.cleaned_data["note"]} if self._is_approval else response


def urls(pages: WorkspaceModelAdmin) -> list[URLPattern]:
    def view(request: HttpRequest, interaction_pk: int) -> HttpResponse:
        return _answer(pages, request, interaction_pk)

    return [path("<int:interaction_pk>/answer/", pages.admin_site.admin_view(view), name="runtime_interaction_answer")]


def may_answer(request: HttpRequest, interaction: Interaction) -> bool:
    is_open = interaction.state == Interaction.State.OPEN
    return is_open and access_of(request).allows(Scope.INTERACTIONS_ANSWER, interaction.workspace_id)


def _answer(pages: WorkspaceModelAdmin, request: HttpRequest, interaction_pk: int) -> HttpResponse:
    interaction = _interaction(request, interaction_pk)
    if not access_of(request).allows(Scope.INTERACTIONS_ANSWER, interaction.workspace_id):
        raise PermissionDenied
    form = AnswerForm(request.POST if request.method == "POST" else None, interaction=interaction)
    if form.is_valid() and _is_taken(request, interaction, form):
        url = reverse("admin:runtime_agentrequest_change", args=[interaction.agent_request_id])
        return HttpResponseRedirect(f"{url}?{urlencode({'watch': 1})}")
    return form_page(
        pages,
        request,
        template="admin/runtime/answer_interaction.html",
        title=f"Answer {interaction.agent_request.agent.agent_id}",
        row=interaction,
        form=form,
        calls=calls_text(interaction),
    )


def calls_text(interaction: Interaction) -> str:
    """What would run, whole; empty for a question that is about no call but itself."""
    if interaction.kind != Interaction.Kind.APPROVAL:
        return ""
    # Characters that a browser does not show are written as escapes: nothing may hide here.
    return json.dumps(interaction.tool_calls, indent=2)


def _is_taken(request: HttpRequest, interaction: Interaction, form: AnswerForm) -> bool:
    workspace, actor = interaction.workspace, access_of(request).actor
    try:
        with transaction.atomic():
            answer_interaction(interaction.agent_request, interaction.interaction_id, form.response, by=actor)
            target = interaction.interaction_id
            audit.record(workspace, actor=actor, action="interaction.answered", target=target)
    except MashError as error:
        form.add_error(None, str(error))
        return False
    return True


def _field(interaction: Interaction) -> forms.Field:
    match interaction.kind:
        case Interaction.Kind.APPROVAL:
            # Nothing is chosen beforehand: an approval is always somebody's own.
            decisions = [("approve", "Approve"), ("deny", "Deny")]
            return forms.ChoiceField(label="Decision", choices=decisions, widget=forms.RadioSelect)
        case Interaction.Kind.CHOICE:
            options = [(option, option) for option in interaction.options]
            return forms.MultipleChoiceField(label="Answer", choices=options, widget=forms.CheckboxSelectMultiple)
    if interaction.schema is not None:
        schema = json.dumps(interaction.schema)
        return forms.JSONField(label="Answer", help_text=f"JSON that satisfies {schema}")
    return forms.CharField(label="Answer", widget=forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField"}))


def _interaction(request: HttpRequest, interaction_pk: int) -> Interaction:
    rows = access_of(request).bounded(Interaction.rows.all(), Scope.SESSIONS_READ, "workspace")
    related = rows.select_related("workspace", "agent_request__agent", "agent_request__workspace")
    interaction: Interaction | None = related.filter(pk=interaction_pk).first()
    if interaction is None:
        raise Http404("There is no such question.")
    return interaction
