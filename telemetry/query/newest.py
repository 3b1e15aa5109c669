"""The newest event of a workspace: what a page is made at, and where its stream begins."""

from workspaces.models import Workspace


def newest_event(workspace: Workspace) -> int:
    """Its id; 0 while there is none."""
    return workspace.events.order_by("-id").values_list("id", flat=True).first() or 0
