"""What the signed-in person may do in the admin: their roles, read once per HTTP request."""

from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from workspaces.authenticate import Principal
from workspaces.models import User, Workspace
from workspaces.roles import ROLE_SCOPES, Scope, may_give

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A person's roles by workspace; a superuser needs none."""

    user: User | None
    roles: dict[int, str]

    @property
    def is_superuser(self) -> bool:
        return self.user is not None and self.user.is_superuser

    @property
    def actor(self) -> str:
        """How the audit trail calls this person."""
        return self.user.get_username() if self.user else "anonymous"

    def allows(self, scope: Scope, workspace_pk: int) -> bool:
        return self.is_superuser or scope in ROLE_SCOPES.get(self.roles.get(workspace_pk, ""), frozenset())

    def allows_anywhere(self, scope: Scope) -> bool:
        return self.is_superuser or any(scope in ROLE_SCOPES[role] for role in self.roles.values())

    def may_give(self, role: str, workspace_pk: int) -> bool:
        """Whether this person decides about who has that role there."""
        return self.is_superuser or may_give(self.roles.get(workspace_pk, ""), role)

    def workspaces(self, scope: Scope) -> QuerySet[Workspace]:
        """The workspaces in which this person has the scope."""
        if self.is_superuser:
            return Workspace.objects.all()
        return Workspace.objects.filter(pk__in=self._allowed(scope))

    def bounded(self, rows: "QuerySet[Row]", scope: Scope, path: str) -> "QuerySet[Row]":
        """Of these rows, whose workspace is at `path`, those that this person may reach with the scope."""
        return rows if self.is_superuser else rows.filter(**{f"{path}__in": self._allowed(scope)})

    def principal(self, workspace: Workspace) -> Principal:
        """This person as the caller of a verb."""
        scopes = frozenset(scope.value for scope in Scope if self.allows(scope, workspace.pk))
        return Principal(workspace=workspace, scopes=scopes, user=self.user)

    def _allowed(self, scope: Scope) -> list[int]:
        return [pk for pk, role in self.roles.items() if scope in ROLE_SCOPES[role]]


_known: WeakKeyDictionary[HttpRequest, Access] = WeakKeyDictionary()


def access_of(request: HttpRequest) -> Access:
    access = _known.get(request)
    if access is None:
        access = _known[request] = _read(request.user)
    return access


def _read(user: User | AnonymousUser) -> Access:
    """An account that may not enter the admin has no access, wherever a page asks."""
    if not isinstance(user, User) or not (user.is_active and user.is_staff):
        return Access(user=None, roles={})
    roles = {} if user.is_superuser else dict(user.memberships.values_list("workspace_id", "role"))
    return Access(user=user, roles=roles)
