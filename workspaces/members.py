"""Takes members out of a workspace and changes what they may do; `workspaces/bootstrap.py` lets them in."""

from django.db import transaction

from workspaces import audit
from workspaces.bootstrap import add_member
from workspaces.errors import MashError
from workspaces.models import Membership, User, Workspace
from workspaces.roles import Role


class LastOwner(MashError):
    """A workspace without an owner could be given to nobody any more."""

    code = "LAST_OWNER"
    status = 409


def remove_member(workspace: Workspace, user: User, *, actor: str) -> bool:
    """Shuts the person out; False when they were no member."""
    with transaction.atomic():
        membership = _locked_membership(workspace, user)
        if membership is None:
            return False
        _check_owner_remains(workspace, membership)
        membership.delete()
        audit.record(workspace, actor=actor, action="member.removed", target=user.get_username())
    return True


def set_role(workspace: Workspace, user: User, role: Role, *, actor: str) -> bool:
    """Gives a member another role; False when they are no member."""
    with transaction.atomic():
        membership = _locked_membership(workspace, user)
        if membership is None:
            return False
        if role != Role.OWNER:
            _check_owner_remains(workspace, membership)
        add_member(workspace, user, role, actor=actor)
    return True


def _locked_membership(workspace: Workspace, user: User) -> Membership | None:
    # The workspace's row makes two changes take turns: each of two owners could otherwise remove the other.
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    return workspace.memberships.filter(user=user).first()


def _check_owner_remains(workspace: Workspace, leaving: Membership) -> None:
    others = workspace.memberships.filter(role=Role.OWNER).exclude(pk=leaving.pk)
    if leaving.role == Role.OWNER and not others.exists():
        raise LastOwner(f"{leaving.user} is the only owner of {workspace}; make somebody else an owner first.")
