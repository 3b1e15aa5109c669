"""Sessions as they change: rows of the list, and the turns of one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.template.loader import render_to_string

from runtime.sse import Receive, Scope, Send
from telemetry.live.changes import Show, send_changes
from telemetry.live.door import Viewer
from telemetry.live.frames import part
from telemetry.query.session_figures import figures_of
from telemetry.query.sessions import SessionFilter, for_list, read_session_filter
from telemetry.query.transcript import read_entries
from telemetry.web.sessions.detail import known_figures, told_of
from telemetry.web.sessions.row import rows_of, turnless_of
from telemetry.web.sessions.subject import find_subject
from workspaces.models import Workspace
from workspaces.roles import Scope as AccessScope


async def session_list_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/sessions/stream`, with the filters of the page."""
    await send_changes(scope, receive, send, needed=AccessScope.SESSIONS_READ, shown_to=_list_of)


def _list_of(viewer: Viewer) -> Show:
    return _List(workspace=viewer.principal.workspace, which=read_session_filter(viewer.request.GET.dict()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    workspace: Workspace
    which: SessionFilter

    def __call__(self, request_pks: Sequence[int]) -> list[str]:
        requests = self.workspace.agent_requests.filter(pk__in=request_pks).order_by()
        pairs = list(requests.values_list("agent__agent_id", "session_id").distinct())
        if not pairs:
            return []
        figures = figures_of(self.workspace, pairs, turnless_in=self.which.span)
        found = self.workspace.sessions.filter(session_id__in={session_id for _, session_id in figures})
        sessions = [each for each in for_list(self.workspace, found) if (each.agent_id, each.session_id) in figures]
        matching = set(
            self.which.apply(self.workspace).filter(pk__in=[each.pk for each in sessions]).values_list("pk", flat=True)
        )
        rows = [replace(row, is_update=row.session.pk not in matching) for row in rows_of(sessions, figures)]
        begun = [each for each in turnless_of(sessions, figures) if self.which.admits(each.agent_id, each.session_id)]
        told = {"slug": self.workspace.slug, "turnless": begun}
        html = "".join(render_to_string("web/sessions/page.html#row", {**told, "row": row}) for row in rows)
        strip = part(render_to_string("web/sessions/page.html#turnless", told), target="#turnless", swap="outerMorph")
        return [*([part(html, target="#rows", swap="live-rows")] if html else []), strip]


async def session_page_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/sessions/<agent_id>/<session_id>/stream`: the turns as they come."""
    route = scope["url_route"]["kwargs"]

    def shown_to(viewer: Viewer) -> Show:
        workspace = viewer.principal.workspace
        known_figures(find_subject(workspace, route["agent_id"], route["session_id"]))
        may_write = AccessScope.SESSIONS_WRITE in viewer.principal.scopes
        return _Turns(workspace, route["agent_id"], route["session_id"], may_write)

    await send_changes(scope, receive, send, needed=AccessScope.SESSIONS_READ, shown_to=shown_to)


@dataclass(frozen=True, slots=True)
class _Turns:
    workspace: Workspace
    agent_id: str
    session_id: str
    may_write: bool

    def __call__(self, request_pks: Sequence[int]) -> list[str]:
        concerned = self.workspace.agent_requests.filter(pk__in=request_pks, session_id=self.session_id)
        if not concerned.exists():
            return []
        subject = find_subject(self.workspace, self.agent_id, self.session_id)
        entries = read_entries(subject, request_pks)
        told = {
            **told_of(subject, known_figures(subject), entries),
            "slug": self.workspace.slug,
            "may_write": self.may_write,
        }
        page = "web/sessions/session.html"
        html = "".join(render_to_string(f"{page}#entry", {**told, "entry": entry}) for entry in entries)
        facts = part(render_to_string(f"{page}#facts", told), target="#facts", swap="outerMorph")
        return [*([part(html, target="#turns", swap="live-rows")] if html else []), facts]
