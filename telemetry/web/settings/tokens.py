"""API tokens: made, shown once, revoked."""

from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone

from telemetry.query.pages import newest_page
from telemetry.web.settings.forms import TokenForm
from telemetry.web.settings.tabs import Question, Secret, ask, change, row, show, show_secret
from telemetry.web.visit import Visit, screen
from workspaces.roles import Scope
from workspaces.tokens import issue_token, revoke_token

_PAGE_SIZE = 50


@screen("settings", Scope.MEMBERS_WRITE)
def list_tokens(visit: Visit) -> HttpResponse:
    tokens = visit.workspace.tokens.select_related("created_by")
    page = newest_page(tokens, visit.request.GET.get("cursor", ""), size=_PAGE_SIZE)
    return show(visit, "tokens", {"page": page, "now": timezone.now()})


@screen("settings", Scope.MEMBERS_WRITE, methods=("GET", "POST"))
def new_token(visit: Visit) -> HttpResponse:
    newest = visit.workspace.tokens.values_list("pk", flat=True).first() or 0
    form = TokenForm(visit.request.POST or None, own=visit.principal.scopes, initial={"after": newest})
    return _issued(visit, form) if form.is_valid() else show(visit, "tokens", {"form": form}, page="token")


@screen("settings", Scope.MEMBERS_WRITE, methods=("GET", "POST"))
def revoke(visit: Visit, pk: int) -> HttpResponse:
    token, back = row(visit.workspace.tokens.select_related("workspace"), pk), visit.link("settings-tokens")
    if visit.request.method == "POST":
        return change(visit, back, f"{token} is revoked.", partial(revoke_token, token, actor=visit.principal.name))
    question = Question(
        title=f"Revoke {token}?",
        text="Programs that use it are refused at once, and for good.",
        verb="Revoke it",
        back=back,
    )
    return ask(visit, "tokens", question)


def _issued(visit: Visit, form: TokenForm) -> HttpResponse:
    values, back = form.cleaned_data, visit.link("settings-tokens")
    same = visit.workspace.tokens.filter(name=values["name"], created_by=visit.principal.user)
    if same.filter(pk__gt=values["after"]).exists():
        # A reload of the page that showed the token sends its form again.
        messages.warning(visit.request, "This token was made before, and its text is not shown again.")
        return visit.go(back)
    token, text = issue_token(
        visit.workspace,
        name=values["name"],
        actor=visit.principal.name,
        scopes=values["scopes"],
        expires_at=form.expires_at,
        created_by=visit.principal.user,
    )
    about = "Copy it now: it is kept nowhere and not shown again."
    return show_secret(visit, "tokens", Secret(title=f"The token “{token.name}”", text=text, about=about, back=back))
