"""Writes the audit trail."""

from typing import Any

from django.utils import timezone

from workspaces.models import Workspace


def record(
    workspace: Workspace, *, actor: str, action: str, target: str, details: dict[str, Any] | None = None
) -> None:
    """Notes one change; call it in the transaction of the change, and never with a secret in `details`."""
    workspace.audit_entries.create(
        at=timezone.now(), actor=actor[:200], action=action, target=target[:200], details=details or {}
    )
