"""Puts every stored provider key under the first of MASH_ENCRYPTION_KEYS, so that the others can go."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import transaction

from agents.models import ProviderCredential
from workspaces import encryption
from workspaces.encryption import UnreadableSecret
from workspaces.models import Workspace

_BATCH = 200


@dataclass(slots=True)
class Rotation:
    changed: int = 0
    current: int = 0
    """Were under the first key before."""
    unreadable: list[str] = field(default_factory=list)
    """Credentials, as workspace/name, that no configured key opens."""


def rotate_credentials() -> Rotation:
    """Runs in batches and may be stopped and repeated; a key that somebody replaces meanwhile is left alone."""
    rotation = Rotation()
    for batch in _batches():
        with transaction.atomic():
            for credential in batch:
                _rotate(credential, rotation)
    return rotation


def _rotate(credential: ProviderCredential, rotation: Rotation) -> None:
    before = credential.encrypted_key
    if encryption.is_current(before):
        rotation.current += 1
        return
    try:
        after = encryption.reencrypt(before)
    except UnreadableSecret:
        rotation.unreadable.append(f"{credential.workspace.slug}/{credential.name}")
        return
    same = credential.workspace.credentials.filter(pk=credential.pk, encrypted_key=before)
    rotation.changed += same.update(encrypted_key=after)


def _batches() -> Iterator[list[ProviderCredential]]:
    for workspace in Workspace.objects.order_by("pk").iterator(chunk_size=_BATCH):
        last = 0
        while batch := list(workspace.credentials.filter(pk__gt=last).order_by("pk")[:_BATCH]):
            last = batch[-1].pk
            yield batch
