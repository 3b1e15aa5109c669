"""Changes who belongs to a workspace, which always keeps an owner."""

from django.db import transaction

from workspaces import audit
from workspaces.errors import MashError
from workspaces.models import Membership, User, Workspace
from workspaces.roles import ROLE_SCOPES, Role, Scope


class LastOwner(MashError):
    """A workspace without an owner could never be handed on."""

    code = "LAST_OWNER"
    status = 409


def change_role(membership: Membership, role: Role, *, actor: str) -> None:
    """Gives the member another role; the same one changes nothing."""
    with transaction.atomic():
        workspace = _locked(membership.workspace_id)
        current = workspace.memberships.select_related("user").get(pk=membership.pk)
        if current.role == role:
            return
        if role != Role.OWNER:
            keep_an_owner(workspace, without=current)
        workspace.memberships.filter(pk=current.pk).update(role=role)
        details = {"from": current.role, "role": role}
        audit.record(workspace, actor=actor, action="member.changed", target=str(current.user), details=details)
    membership.role = role


def remove_member(membership: Membership, *, actor: str) -> None:
    """Shows the member out."""
    with transaction.atomic():
        workspace = _locked(membership.workspace_id)
        current = workspace.memberships.select_related("user").get(pk=membership.pk)
        keep_an_owner(workspace, without=current)
        current.delete()
        details = {"role": current.role}
        audit.record(workspace, actor=actor, action="member.removed", target=str(current.user), details=details)


def keep_an_owner(workspace: Workspace, *, without: Membership) -> None:
    """Raises `LastOwner` if nobody owned the workspace any more without this member."""
    others = workspace.memberships.filter(role=Role.OWNER, user__is_active=True).exclude(pk=without.pk)
    if without.role == Role.OWNER and not others.exists():
        raise LastOwner("This is the workspace's last owner; make somebody else an owner first.")


def let_into_admin(membership: Membership) -> None:
    """Agents are defined in the admin, so whoever defines some may sign in there; roles decide what they see of it."""
    if Scope.AGENTS_WRITE in ROLE_SCOPES[membership.role]:
        User.objects.filter(pk=membership.user_id, is_staff=False).update(is_staff=True)


def _locked(workspace_pk: int) -> Workspace:
    """Two owners who leave at once take turns here, so one of them stays."""
    return Workspace.objects.select_for_update(no_key=True).get(pk=workspace_pk)
