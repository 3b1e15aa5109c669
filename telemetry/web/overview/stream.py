"""The overview while somebody looks: how the workspace stands, and its newest requests."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field

from django.template.loader import render_to_string
from django.utils import timezone

from runtime.hub import Watch, hub
from runtime.readers import in_patient_reader
from runtime.sse import Receive, Scope, Send, send_error, send_frames
from telemetry.live.badge import InboxBadge
from telemetry.live.door import Viewer, opened
from telemetry.live.feed import Feed, feeds
from telemetry.live.frames import frame, part
from telemetry.live.limits import counted
from telemetry.query.present import present
from telemetry.query.requests import RequestFilter
from telemetry.web.overview.views import newest_requests, read_overview_filter
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope

_TEMPLATE = "web/overview/page.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    viewer: Viewer
    which: RequestFilter
    badge: InboxBadge = field(default_factory=InboxBadge)


async def overview_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/stream`. It needs no cursor: each frame says all that the page shows of now."""
    try:
        opening = await opened(scope, AccessScope.TELEMETRY_READ, _open)
        principal = opening.viewer.principal
        workspace_pk = principal.workspace.pk
        with counted(principal), hub.watch(workspace=workspace_pk) as watch, feeds.of(workspace_pk) as feed:
            watch.principal = principal
            await send_frames(_frames(opening, feed, watch), receive, send)
    except MashError as error:
        await send_error(send, error)


def _open(viewer: Viewer) -> Opening:
    return Opening(viewer=viewer, which=read_overview_filter(viewer.request.GET.dict()))


async def _frames(opening: Opening, feed: Feed, watch: Watch) -> AsyncIterator[bytes]:
    await feed.begin()
    with feed.subscribe() as subscriber:
        yield await in_patient_reader(_now, opening, None)
        async for changes in subscriber.changes(watch):
            # Requests stall, and failures grow old, without an event.
            yield await in_patient_reader(_now, opening, changes.request_pks if changes else ())


def _now(opening: Opening, changed: Collection[int] | None) -> bytes:
    """The strip, and of the newest requests those that have changed; all of them at the beginning."""
    workspace, preferences = opening.viewer.principal.workspace, opening.viewer.preferences
    agent = opening.viewer.request.GET.get("agent", "")
    about = {"slug": workspace.slug, "agent": agent, "present": present(workspace, opening.which)}
    rows = newest_requests(workspace, opening.which) if changed != () else ()
    with timezone.override(preferences.zone):
        strip = render_to_string(f"{_TEMPLATE}#strip", about)
        html = "".join(
            render_to_string(f"{_TEMPLATE}#row", {"row": row, "slug": workspace.slug})
            for row in rows
            if changed is None or row.pk in changed
        )
    parts = [part(strip, target="#strip", swap="outerMorph"), *opening.badge.changed(workspace)]
    return frame([*parts, *([part(html, target="#rows", swap="live-rows")] if html else [])])
