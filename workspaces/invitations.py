"""Lets people in by a link: made for a role, shown once, used once."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from workspaces import audit, members
from workspaces.authenticate import Forbidden
from workspaces.bootstrap import add_member
from workspaces.errors import MashError
from workspaces.models import Invitation, Membership, User, Workspace
from workspaces.roles import Role, may_give
from workspaces.scoping import only
from workspaces.tokens import digest_of

LIFETIME = timedelta(days=7)


class NoSuchInvitation(MashError):
    code = "INVITATION_NOT_FOUND"
    status = 404


class InvitationClosed(MashError):
    """It was used, revoked or left lying for too long."""

    code = "INVITATION_CLOSED"
    status = 410


class AlreadyMember(MashError):
    code = "ALREADY_MEMBER"
    status = 409


def invite(workspace: Workspace, role: Role, *, by: User, email: str = "") -> tuple[Invitation, str]:
    """A new invitation and the secret of its link, which is not kept and cannot be shown again."""
    if not may_give(by.role_in(workspace), role):
        raise Forbidden("Nobody invites to a role above their own.")
    secret, now = secrets.token_urlsafe(32), timezone.now()
    with transaction.atomic():
        invitation = workspace.invitations.create(
            digest=digest_of(secret),
            role=role,
            email=email,
            created_by=by,
            created_at=now,
            expires_at=now + LIFETIME,
        )
        audit.record(
            workspace,
            actor=by.get_username(),
            action="invitation.made",
            target=str(invitation),
            details={"role": role, "email": email},
        )
    return invitation, secret


def find_invitation(secret: str) -> Invitation:
    """The open invitation that the link belongs to; who is asked for has no workspace yet, so the link alone finds it."""
    invitation = only(Invitation.rows.select_related("workspace", "created_by").filter(digest=digest_of(secret)))
    if invitation is None:
        raise NoSuchInvitation("There is no such invitation. Was the link copied to its end?")
    _check_open(invitation)
    return invitation


def accept_invitation(invitation: Invitation, user: User) -> Membership:
    """Makes the person a member, and saves the account of somebody who is new."""
    workspace, now = invitation.workspace, timezone.now()
    with transaction.atomic():
        open_ones = workspace.invitations.filter(accepted_at=None, revoked_at=None, expires_at__gt=now)
        if not open_ones.filter(pk=invitation.pk).update(accepted_at=now):
            raise InvitationClosed("Somebody was faster: this invitation is not open any more.")
        if user._state.adding:
            user.save()
        if workspace.memberships.filter(user=user).exists():
            raise AlreadyMember("You are a member of this workspace already.")
        actor = user.get_username()
        audit.record(workspace, actor=actor, action="invitation.accepted", target=str(invitation))
        membership = add_member(workspace, user, Role(invitation.role), actor=actor)
        members.let_into_admin(membership)
    return membership


def revoke_invitation(invitation: Invitation, *, actor: str) -> bool:
    """Closes the link at once; False when it was closed before."""
    with transaction.atomic():
        waiting = invitation.workspace.invitations.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
        revoked = waiting.update(revoked_at=timezone.now())
        if revoked:
            audit.record(invitation.workspace, actor=actor, action="invitation.revoked", target=str(invitation))
    return bool(revoked)


def _check_open(invitation: Invitation) -> None:
    if invitation.accepted_at:
        raise InvitationClosed("This invitation has been used.")
    if invitation.revoked_at:
        raise InvitationClosed("This invitation was revoked.")
    if invitation.expires_at <= timezone.now():
        raise InvitationClosed("This invitation has expired.")
    if not _stands_for_it(invitation.created_by, invitation):
        # Else somebody who is shown out could come back by a link kept for that day.
        raise InvitationClosed("Whoever made this invitation may not invite any more.")


def _stands_for_it(inviter: User | None, invitation: Invitation) -> bool:
    if inviter is None or not inviter.is_active:
        return False
    return may_give(inviter.role_in(invitation.workspace), invitation.role)
