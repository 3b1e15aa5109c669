"""The number of open questions beside the inbox, on whatever page somebody looks at."""

from django.template.loader import render_to_string

from telemetry.live.frames import part
from workspaces.models import Workspace


def open_questions(workspace: Workspace) -> int:
    return workspace.interactions.filter(state="open").count()


class InboxBadge:
    """What one browser shows of it."""

    def __init__(self) -> None:
        self._shown: int | None = None

    def changed(self, workspace: Workspace) -> list[str]:
        """A part when the number is another one than before."""
        count = open_questions(workspace)
        if count == self._shown:
            return []
        self._shown = count
        html = render_to_string("web/_inbox_count.html", {"count": count})
        return [part(html, target="#inbox-count", swap="outerHTML")]
