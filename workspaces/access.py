"""Asks again whether those who hold a long connection may still be there."""

from collections.abc import Collection

from django.db.models import Q
from django.utils import timezone

from workspaces.authenticate import Principal
from workspaces.models import ApiToken, Membership, User


def without_access(principals: Collection[Principal]) -> set[Principal]:
    """Those whose token is revoked or expired, or who are no active members any more; at most three queries."""
    tokens = _valid_tokens([principal.token.pk for principal in principals if principal.token])
    members = _members([principal.user.pk for principal in principals if principal.user])
    return {principal for principal in principals if not _may_stay(principal, tokens, members)}


def _may_stay(principal: Principal, tokens: set[int], members: set[tuple[int, int | None]]) -> bool:
    if principal.token:
        return principal.token.pk in tokens
    user_pk = principal.user.pk if principal.user else 0
    # A superuser is a member everywhere, which None stands for.
    return (user_pk, principal.workspace.pk) in members or (user_pk, None) in members


def _valid_tokens(token_pks: list[int]) -> set[int]:
    if not token_pks:
        return set()
    valid = ApiToken.rows.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)
    return set(valid.filter(pk__in=token_pks).values_list("pk", flat=True))


def _members(user_pks: list[int]) -> set[tuple[int, int | None]]:
    if not user_pks:
        return set()
    members = Membership.rows.filter(user__in=user_pks, user__is_active=True)
    superusers = User.objects.filter(pk__in=user_pks, is_active=True, is_superuser=True)
    return {*members.values_list("user", "workspace"), *((user.pk, None) for user in superusers)}
