"""Puts every stored secret under the first of MASH_ENCRYPTION_KEYS, so that the others can go."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction

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
    """Credentials and MCP servers, as workspace/name, that no configured key opens."""


def rotate_secrets() -> Rotation:
    """Runs in batches and may be stopped and repeated; a secret that somebody replaces meanwhile is left alone."""
    rotation = Rotation()
    for batch in _batches():
        with transaction.atomic():
            for secret in batch:
                _rotate(secret, rotation)
    return rotation


@dataclass(frozen=True, slots=True)
class _Secret:
    """One encrypted column of one row."""

    row: models.QuerySet[Any]
    column: str
    name: str
    encrypted: str


def _rotate(secret: _Secret, rotation: Rotation) -> None:
    if encryption.is_current(secret.encrypted):
        rotation.current += 1
        return
    try:
        after = encryption.reencrypt(secret.encrypted)
    except UnreadableSecret:
        rotation.unreadable.append(secret.name)
        return
    same = secret.row.filter(**{secret.column: secret.encrypted})
    rotation.changed += same.update(**{secret.column: after})


def _batches() -> Iterator[list[_Secret]]:
    for workspace in Workspace.objects.order_by("pk").iterator(chunk_size=_BATCH):
        yield from _batches_of(workspace, workspace.credentials.all(), "encrypted_key")
        yield from _batches_of(workspace, workspace.mcp_servers.exclude(encrypted_secrets=""), "encrypted_secrets")


def _batches_of(workspace: Workspace, rows: models.QuerySet[Any], column: str) -> Iterator[list[_Secret]]:
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        last = batch[-1].pk
        yield [
            _Secret(rows.filter(pk=row.pk), column, f"{workspace.slug}/{row.name}", getattr(row, column))
            for row in batch
        ]
