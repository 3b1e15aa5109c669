"""Changes a workspace's own name and limits."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from workspaces import audit
from workspaces.models import Workspace


def change_workspace(workspace: Workspace, values: Mapping[str, Any], *, actor: str) -> None:
    """Sets these fields; without any nothing happens."""
    if not values:
        return
    for name, value in values.items():
        setattr(workspace, name, value)
    with transaction.atomic():
        workspace.save(update_fields=list(values))
        audit.record(workspace, actor=actor, action="workspace.changed", target=workspace.slug, details=dict(values))
