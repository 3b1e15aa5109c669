"""Makes workspaces, and the first one with its owner."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from workspaces import audit, members
from workspaces.models import Membership, User, Workspace
from workspaces.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    user: User
    password: str
    """Drawn here and shown once; empty for an account that existed before."""


_furnishers: list[Callable[[Workspace], None]] = []


def furnish_new_workspaces(furnish: Callable[[Workspace], None]) -> None:
    """Lets a room above put its own things into every workspace that is made from now on, in the same transaction."""
    _furnishers.append(furnish)


def create_workspace(slug: str, name: str, *, actor: str) -> Workspace:
    """A new, empty workspace; `ValidationError` when the slug will not do."""
    workspace = Workspace(slug=slug, name=name, created_at=timezone.now())
    workspace.full_clean()
    with transaction.atomic():
        workspace.save(force_insert=True)
        audit.record(workspace, actor=actor, action="workspace.created", target=slug)
        for furnish in _furnishers:
            furnish(workspace)
    return workspace


def add_member(workspace: Workspace, user: User, role: Role, *, actor: str) -> Membership:
    """Lets the person in, or changes the role that they have."""
    with transaction.atomic():
        membership, created = workspace.memberships.get_or_create(
            user=user, defaults={"role": role, "created_at": timezone.now()}
        )
        if created:
            audit.record(
                workspace, actor=actor, action="member.added", target=user.get_username(), details={"role": role}
            )
        else:
            members.change_role(membership, role, actor=actor)
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
