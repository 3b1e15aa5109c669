"""The list of requests as it changes: rows by their request, at most a few times a second (web-ui 3.0, Live)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import timezone

from runtime.hub import Watch, hub
from runtime.readers import in_patient_reader
from runtime.sse import KEEP_ALIVE, Receive, Scope, Send, send_error, send_frames
from runtime.stream import cursor_of
from telemetry.live.door import Viewer, opened
from telemetry.live.feed import Changes, Feed, feeds
from telemetry.live.frames import RESYNC, frame, part
from telemetry.live.limits import counted
from telemetry.query.requests import RequestFilter, for_list, read_request_filter
from telemetry.web.requests.page import row_context
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope

# Ids are drawn before their transactions commit, so a page that was rendered at one id may lack a smaller one.
_TRAILING_EVENTS = 500
_MOST_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    viewer: Viewer
    which: RequestFilter
    after: int


async def request_list_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/requests/stream`, with the filters of the page and `after`, the event id that it was made at."""
    try:
        opening = await opened(scope, AccessScope.SESSIONS_READ, _open)
        principal = opening.viewer.principal
        workspace_pk = principal.workspace.pk
        with counted(principal), hub.watch(workspace=workspace_pk) as watch, feeds.of(workspace_pk) as feed:
            watch.principal = principal
            await send_frames(_frames(opening, feed, watch), receive, send)
    except MashError as error:
        await send_error(send, error)


def _open(viewer: Viewer) -> Opening:
    after = cursor_of(viewer.request, "after") or 0
    if "Last-Event-ID" not in viewer.request.headers:
        after = max(0, after - _TRAILING_EVENTS)
    return Opening(viewer=viewer, which=read_request_filter(viewer.request.GET.dict()), after=after)


async def _frames(opening: Opening, feed: Feed, watch: Watch) -> AsyncIterator[bytes]:
    await feed.begin()
    with feed.subscribe() as subscriber:
        yield await in_patient_reader(_missed, opening, subscriber.cursor)
        async for changes in subscriber.changes(watch):
            yield KEEP_ALIVE if changes is None else await in_patient_reader(_changed, opening, changes)


def _missed(opening: Opening, up_to: int) -> bytes:
    """What has happened between the page and the feed's beginning."""
    workspace = opening.viewer.principal.workspace
    events = workspace.events.filter(id__gt=opening.after, id__lte=up_to).order_by()
    pks = set(events.values_list("agent_request_id", flat=True).distinct()[: _MOST_ROWS + 1])
    return _changed(opening, Changes(frozenset(pks), up_to))


def _changed(opening: Opening, changes: Changes) -> bytes:
    if len(changes.request_pks) > _MOST_ROWS:
        return RESYNC
    workspace, page = opening.viewer.principal.workspace, opening.viewer.page
    matching = set(opening.which.apply(workspace).filter(pk__in=changes.request_pks).values_list("pk", flat=True))
    rows = for_list(workspace.agent_requests.filter(pk__in=changes.request_pks))
    may_run = AccessScope.AGENTS_RUN in opening.viewer.principal.scopes
    about = {"slug": workspace.slug, "request": page, **row_context(opening.viewer.request.GET.dict(), may_run=may_run)}
    with timezone.override(opening.viewer.preferences.zone):
        html = "".join(
            render_to_string("web/requests/page.html#row", {**about, "row": row, "is_update": row.pk not in matching})
            for row in rows
        )
    return frame([part(html, target="#rows", swap="live-rows")] if html else [], cursor=changes.cursor)
