"""Who belongs to the workspace, and as what (web-ui 3.12)."""

from functools import partial

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from telemetry.web.account import mail
from telemetry.web.account.passwords import reset_link
from telemetry.web.settings.forms import InvitationForm, RoleForm
from telemetry.web.settings.invitations import invited
from telemetry.web.settings.tabs import Secret, change, row, show, show_secret
from telemetry.web.visit import Visit, screen
from workspaces import members
from workspaces.authenticate import Forbidden
from workspaces.models import Membership, User
from workspaces.passwords import may_reset, offer_reset
from workspaces.roles import Role, Scope, may_give

_MOST_SHOWN = 500


@screen("settings", Scope.MEMBERS_WRITE, methods=("GET", "POST"))
def list_members(visit: Visit) -> HttpResponse:
    """The members and the open invitations; a POST makes an invitation."""
    workspace, user = visit.workspace, user_of(visit)
    people = workspace.memberships.select_related("user").order_by("user__username")[:_MOST_SHOWN]
    own = {membership.user_id: membership.role for membership in people}.get(user.pk) or user.role_in(workspace)
    form = InvitationForm(visit.request.POST or None, own=own, initial={"role": Role.DEVELOPER})
    if form.is_valid():
        return invited(visit, user, form)
    waiting = workspace.invitations.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
    context = {
        "people": people,
        "invitations": waiting.select_related("created_by")[:_MOST_SHOWN],
        "form": form,
        "sends_mail": mail.is_set_up(),
    }
    return show(visit, "members", context)


@screen("settings", Scope.MEMBERS_WRITE, methods=("GET", "POST"))
def manage_member(visit: Visit, pk: int) -> HttpResponse:
    """One member: another role, a new password, or the way out."""
    membership, user = row(visit.workspace.memberships.select_related("user"), pk), user_of(visit)
    own = user.role_in(visit.workspace)
    is_mine_to_change = may_give(own, membership.role)
    form = RoleForm(own=own, initial={"role": membership.role})
    if visit.request.method == "POST":
        if not is_mine_to_change:
            raise Forbidden("Only an owner decides about owners.")
        form = RoleForm(visit.request.POST, own=own)
        wanted = visit.request.POST.get("do", "")
        if wanted == "reset":
            return _reset(visit, membership, by=user)
        if wanted == "remove":
            return _remove(visit, membership)
        if form.is_valid():
            return _give_role(visit, membership, Role(form.cleaned_data["role"]))
    context = {
        "member": membership,
        "form": form,
        "is_mine_to_change": is_mine_to_change,
        "may_reset": is_mine_to_change and may_reset(user, membership.user),
    }
    return show(visit, "members", context, page="member")


def user_of(visit: Visit) -> User:
    assert visit.principal.user is not None  # noqa: S101  only people visit
    return visit.principal.user


def _give_role(visit: Visit, membership: Membership, role: Role) -> HttpResponse:
    def verb() -> None:
        members.change_role(membership, role, actor=visit.principal.name)
        members.let_into_admin(membership)

    said = f"{membership.user} is {role.label.lower()} now."
    return change(visit, visit.link("settings-member", membership.pk), said, verb)


def _remove(visit: Visit, membership: Membership) -> HttpResponse:
    said = f"{membership.user} is no member any more."
    verb = partial(members.remove_member, membership, actor=visit.principal.name)
    is_still_in = membership.user_id != user_of(visit).pk or user_of(visit).is_superuser
    return change(visit, visit.link("settings-members") if is_still_in else reverse("home"), said, verb)


def _reset(visit: Visit, membership: Membership, *, by: User) -> HttpResponse:
    token = offer_reset(visit.workspace, membership.user, by=by)
    secret = Secret(
        title=f"A new password for {membership.user}",
        text=reset_link(visit.request, membership.user, token),
        about="Whoever opens this link sets the password of this account. It works once, within a day. Give it to nobody else.",
        back=visit.link("settings-member", membership.pk),
    )
    return show_secret(visit, "members", secret)
