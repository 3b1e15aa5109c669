"""Keeps and removes a workspace's keys to model providers."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from agents.llm.catalogue import NO_KEY
from agents.models import ProviderCredential
from workspaces import audit, encryption
from workspaces.errors import MashError
from workspaces.models import Workspace

_NAMED_BY = ("credential", "fallback_credential")


class CredentialInUse(MashError):
    """Agents would be left without it."""

    code = "CREDENTIAL_IN_USE"
    status = 409


def save_credential(credential: ProviderCredential, *, key: str, changed: Collection[str], actor: str) -> None:
    """Saves a new credential, or what has changed of one; without a key it keeps the one that it has."""
    is_new = credential.pk is None
    fields = [name for name in changed if name != "key"]
    if key or is_new:
        credential.encrypted_key = encryption.encrypt(key or NO_KEY)
        fields.append("encrypted_key")
    with transaction.atomic():
        if is_new:
            credential.created_at = timezone.now()
            credential.save(force_insert=True)
        else:
            credential.save(update_fields=fields)
        details = {"kind": credential.kind, "base_url": credential.base_url, "key": "set" if key else "kept"}
        action = "credential.added" if is_new else "credential.changed"
        audit.record(credential.workspace, actor=actor, action=action, target=credential.name, details=details)


def remove_credential(credential: ProviderCredential, *, actor: str) -> None:
    """Forgets the key, unless agents name it."""
    workspace = credential.workspace
    with transaction.atomic():
        if agents := users_of_credentials(workspace).get(credential.name):
            raise CredentialInUse(
                f"Agents use this credential: {', '.join(agents)}. Let them choose another one first."
            )
        details = {"kind": credential.kind, "base_url": credential.base_url}
        audit.record(workspace, actor=actor, action="credential.removed", target=credential.name, details=details)
        credential.delete()


def users_of_credentials(workspace: Workspace) -> dict[str, list[str]]:
    """The agents that name each credential in their current definition."""
    found: dict[str, list[str]] = {}
    for agent in workspace.agents.select_related("current_version"):
        for name in {getattr(agent.definition, field) for field in _NAMED_BY} - {""}:
            found.setdefault(name, []).append(agent.agent_id)
    return found
