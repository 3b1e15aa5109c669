"""Links that let people in."""

from functools import partial

from django.http import HttpResponse
from django.urls import reverse

from telemetry.web.account import mail
from telemetry.web.settings.forms import InvitationForm
from telemetry.web.settings.tabs import Question, Secret, ask, change, row, show_secret
from telemetry.web.visit import Visit, screen
from workspaces.invitations import invite, revoke_invitation
from workspaces.models import Invitation, User
from workspaces.roles import Role, Scope


def invited(visit: Visit, by: User, form: InvitationForm) -> HttpResponse:
    """Makes the invitation and shows its link, this once."""
    email = form.cleaned_data["email"]
    invitation, text = invite(visit.workspace, Role(form.cleaned_data["role"]), by=by, email=email)
    link = visit.request.build_absolute_uri(reverse("join", args=[text]))
    secret = Secret(
        title=f"The invitation for {invitation}",
        text=link,
        about=f"{_mailed(invitation, link, by)}It lets one person in, within seven days. Whoever holds it may use it.",
        back=visit.link("settings-members"),
    )
    return show_secret(visit, "members", secret)


@screen("settings", Scope.MEMBERS_WRITE, methods=("GET", "POST"))
def revoke_link(visit: Visit, pk: int) -> HttpResponse:
    invitation, back = row(visit.workspace.invitations.select_related("workspace"), pk), visit.link("settings-members")
    if visit.request.method == "POST":
        verb = partial(revoke_invitation, invitation, actor=visit.principal.name)
        return change(visit, back, "The invitation is revoked.", verb)
    question = Question(
        title="Revoke this invitation?",
        text=f"The link for {invitation} lets nobody in any more.",
        verb="Revoke it",
        back=back,
    )
    return ask(visit, "members", question)


def _mailed(invitation: Invitation, link: str, by: User) -> str:
    """What became of the mail, where there is one to send."""
    if not invitation.email or not mail.is_set_up():
        return ""
    workspace = invitation.workspace.name
    context = {"inviter": by.get_username(), "workspace": workspace, "role": invitation.role, "link": link}
    subject = f"Join {' '.join(workspace.split())} on Mash"
    if mail.send(subject, "web/account/invitation_mail.txt", context, to=invitation.email):
        return f"It is on its way to {invitation.email}. "
    return f"It could not be mailed to {invitation.email}: pass it on yourself. "
