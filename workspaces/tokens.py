"""Issues and revokes API tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from workspaces import audit
from workspaces.models import ApiToken, User, Workspace
from workspaces.roles import Scope


def digest_of(token: str) -> str:
    """SHA-256: tokens are 32 random bytes, so a slow password hash would add nothing."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def issue_token(
    workspace: Workspace,
    *,
    name: str,
    actor: str,
    scopes: Iterable[str] = tuple(Scope),
    expires_at: datetime | None = None,
    created_by: User | None = None,
    secret: str | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its text, which is not kept and cannot be shown again. `secret` takes over a text given by the operator."""
    prefix = secrets.token_hex(4)
    text = secret or f"mash_{prefix}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        token = workspace.tokens.create(
            name=name,
            prefix=text[:13] if secret is None else "env",
            digest=digest_of(text),
            scopes=sorted(str(scope) for scope in scopes),
            created_by=created_by,
            created_at=timezone.now(),
            expires_at=expires_at,
        )
        audit.record(workspace, actor=actor, action="token.issued", target=str(token), details={"scopes": token.scopes})
    return token, text


def revoke_token(token: ApiToken, *, actor: str) -> bool:
    """Ends the token at once; False when it had been revoked before."""
    with transaction.atomic():
        revoked = token.workspace.tokens.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
        if revoked:
            audit.record(token.workspace, actor=actor, action="token.revoked", target=str(token))
    return bool(revoked)
