"""The list of requests as it changes: rows by their request, at most a few times a second (web-ui 3.0, Live)."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string

from runtime.sse import Receive, Scope, Send
from telemetry.live.changes import Show, send_changes
from telemetry.live.door import Viewer
from telemetry.live.frames import part
from telemetry.query.requests import RequestFilter, for_list, read_request_filter
from telemetry.web.requests.page import row_context
from workspaces.roles import Scope as AccessScope


async def request_list_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/requests/stream`, with the filters of the page and `after`, the event id that it was made at."""
    await send_changes(scope, receive, send, needed=AccessScope.SESSIONS_READ, shown_to=_list_of)


def _list_of(viewer: Viewer) -> Show:
    return _List(viewer=viewer, which=read_request_filter(viewer.request.GET.dict()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    viewer: Viewer
    which: RequestFilter

    def __call__(self, request_pks: Sequence[int]) -> list[str]:
        principal = self.viewer.principal
        workspace, may_run = principal.workspace, AccessScope.AGENTS_RUN in principal.scopes
        matching = set(self.which.apply(workspace).filter(pk__in=request_pks).values_list("pk", flat=True))
        about = row_context(self.viewer.request.GET.dict(), may_run=may_run)
        about |= {"slug": workspace.slug, "request": self.viewer.page}
        html = "".join(
            render_to_string("web/requests/page.html#row", {**about, "row": row, "is_update": row.pk not in matching})
            for row in for_list(workspace.agent_requests.filter(pk__in=request_pks))
        )
        return [part(html, target="#rows", swap="live-rows")] if html else []
