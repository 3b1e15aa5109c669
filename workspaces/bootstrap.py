"""Makes workspaces, and the first one with its owner."""

import secrets
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from workspaces import audit
from workspaces.models import Membership, User, Workspace
from workspaces.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    user: User
    password: str
    """Drawn here and shown once; empty for an account that existed before."""


def create_workspace(slug: str, name: str, *, actor: str) -> Workspace:
    """A new, empty workspace; `ValidationError` when the slug will not do."""
    workspace = Workspace(slug=slug, name=name, created_at=timezone.now())
    workspace.full_clean()
    with transaction.atomic():
        workspace.save(force_insert=True)
        audit.record(workspace, actor=actor, action="workspace.created", target=slug)
    return workspace


def add_member(workspace: Workspace, user: User, role: Role, *, actor: str) -> Membership:
    """Lets the person in, or changes the role that they have."""
    with transaction.atomic():
        membership, created = workspace.memberships.update_or_create(
            user=user, defaults={"role": role}, create_defaults={"role": role, "created_at": timezone.now()}
        )
        action = "member.added" if created else "member.changed"
        audit.record(workspace, actor=actor, action=action, target=user.get_username(), details={"role": role})
    return membership


def create_owner(workspace: Workspace, username: str, *, actor: str) -> Owner:
    """The deployment's first account: owner of the workspace and superuser."""
    user = User.objects.filter(username=username).first()
    password = ""
    with transaction.atomic():
        if user is None:
            password = secrets.token_urlsafe(12)
            user = User.objects.create_superuser(username, password=password)
        add_member(workspace, user, Role.OWNER, actor=actor)
    return Owner(user=user, password=password)
