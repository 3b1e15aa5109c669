"""Links by which somebody sets a new password: who may make one, and what ends it."""

from typing import TYPE_CHECKING

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from typing_extensions import override

from workspaces import audit
from workspaces.authenticate import Forbidden
from workspaces.models import User, Workspace
from workspaces.roles import may_give

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


class ResetTokens(PasswordResetTokenGenerator):
    """Django's, which end with the next sign-in or password; ours also end with any change of what the account may do."""

    key_salt = "workspaces.passwords.ResetTokens"

    @override
    def _make_hash_value(self, user: "AbstractBaseUser", timestamp: int) -> str:
        assert isinstance(user, User)  # noqa: S101  the stubs' wider type
        places = list(user.memberships.order_by("pk").values_list("workspace_id", "role"))
        return f"{super()._make_hash_value(user, timestamp)}{user.is_superuser}{places}"


reset_tokens = ResetTokens()


def may_reset(by: User, user: User) -> bool:
    """Whoever resets a password could sign in as that person, so they must be above it wherever that person belongs."""
    if by.pk == user.pk or not user.is_active:
        return False
    if by.is_superuser or user.is_superuser:
        return by.is_superuser
    own = dict(by.memberships.values_list("workspace_id", "role"))
    theirs = user.memberships.values_list("workspace_id", "role")
    return all(may_give(own.get(workspace_pk, ""), role) for workspace_pk, role in theirs)


def offer_reset(workspace: Workspace, user: User, *, by: User) -> str:
    """The token of a link for a member of the workspace."""
    if not may_reset(by, user):
        raise Forbidden("This person also belongs where you do not decide; the operator can make a reset link.")
    audit.record(workspace, actor=by.get_username(), action="password.reset_offered", target=user.get_username())
    return str(reset_tokens.make_token(user))
