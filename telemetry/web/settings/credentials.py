"""The workspace's keys to model providers: they go in and never come out again."""

from functools import partial

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables

from agents.credentials import remove_credential, save_credential, users_of_credentials
from agents.models import ProviderCredential
from telemetry.web.settings.forms import CredentialForm
from telemetry.web.settings.tabs import Question, ask, change, row, show
from telemetry.web.visit import Visit, screen
from workspaces.roles import Scope

_METHODS = ("GET", "POST")


@screen("settings", Scope.MEMBERS_WRITE)
def list_credentials(visit: Visit) -> HttpResponse:
    users = users_of_credentials(visit.workspace)
    listed = [(credential, users.get(credential.name, [])) for credential in visit.workspace.credentials.all()]
    return show(visit, "credentials", {"listed": listed})


@screen("settings", Scope.MEMBERS_WRITE, methods=_METHODS)
def new_credential(visit: Visit) -> HttpResponse:
    return _edit(visit, ProviderCredential(workspace=visit.workspace))


@screen("settings", Scope.MEMBERS_WRITE, methods=_METHODS)
def change_credential(visit: Visit, pk: int) -> HttpResponse:
    return _edit(visit, row(visit.workspace.credentials.select_related("workspace"), pk))


@screen("settings", Scope.MEMBERS_WRITE, methods=_METHODS)
def remove(visit: Visit, pk: int) -> HttpResponse:
    credential = row(visit.workspace.credentials.select_related("workspace"), pk)
    back = visit.link("settings-credentials")
    if visit.request.method == "POST":
        verb = partial(remove_credential, credential, actor=visit.principal.name)
        return change(visit, back, f"{credential} is removed.", verb)
    question = Question(
        title=f"Remove {credential}?",
        text="The key is forgotten. This is refused while agents use it.",
        verb="Remove it",
        back=back,
    )
    return ask(visit, "credentials", question)


@sensitive_variables("form")
def _edit(visit: Visit, credential: ProviderCredential) -> HttpResponse:
    form = CredentialForm(visit.request.POST or None, instance=credential)
    if not form.is_valid():
        return show(visit, "credentials", {"form": form, "credential": credential}, page="credential")
    verb = partial(
        save_credential,
        credential,
        key=form.cleaned_data["key"],
        changed=form.changed_data,
        actor=visit.principal.name,
    )
    return change(visit, visit.link("settings-credentials"), f"{credential} is saved.", verb)
