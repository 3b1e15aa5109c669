"""What the operator allows."""

from django.conf import settings

from workspaces.models import Workspace


def stdio_is_allowed(workspace: Workspace) -> bool:
    """Whether the workspace may have its servers started as processes on the workers."""
    allowed = settings.MASH_MCP_STDIO_WORKSPACES
    return "*" in allowed or workspace.slug in allowed
