"""The API log's list as calls are answered. Where they come faster than anybody reads, it tells how fast instead."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import timezone

from runtime.hub import Watch, hub
from runtime.readers import in_patient_reader
from runtime.sse import KEEP_ALIVE, Receive, Scope, Send, send_error, send_frames
from runtime.stream import cursor_of
from telemetry.api_log.feed import ApiFeed, api_feeds
from telemetry.live.door import Viewer, opened
from telemetry.live.frames import RESYNC, frame, part
from telemetry.live.limits import counted
from telemetry.models import ApiEvent
from telemetry.query.api_events import for_list, read_api_filter
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope

_MOST_A_SECOND = 20
_MOST_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    viewer: Viewer
    after: int


async def api_log_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/api-log/stream`, with the page's filters and `after`, the newest call that it shows."""
    try:
        opening = await opened(scope, AccessScope.TELEMETRY_READ, _open)
        principal = opening.viewer.principal
        workspace_pk = principal.workspace.pk
        with counted(principal), hub.watch(workspace=workspace_pk) as watch, api_feeds.of(workspace_pk) as feed:
            watch.principal = principal
            await send_frames(_frames(opening, watch, feed), receive, send)
    except MashError as error:
        await send_error(send, error)


def _open(viewer: Viewer) -> Opening:
    return Opening(viewer=viewer, after=cursor_of(viewer.request, "after") or 0)


async def _frames(opening: Opening, watch: Watch, feed: ApiFeed) -> AsyncIterator[bytes]:
    await feed.begin()
    with feed.read() as reader:
        viewer, missed = opening.viewer, await in_patient_reader(_missed, opening)
        yield RESYNC if len(missed) > _MOST_ROWS else await in_patient_reader(_render, viewer, missed)
        began, count = time.monotonic(), 0
        async for rows in reader.rows(watch):
            if time.monotonic() - began >= 1:
                began, count = time.monotonic(), 0
            count += len(rows)
            if count > _MOST_A_SECOND:
                rate = f"{count} calls a second: reload to see the newest"
                yield frame([part(rate, target="#rate", swap="innerHTML")])
            else:
                yield await in_patient_reader(_render, viewer, [event.pk for event in rows])


def _missed(opening: Opening) -> list[int]:
    events = opening.viewer.principal.workspace.api_events.filter(id__gt=opening.after).order_by("-id")
    return list(events.values_list("pk", flat=True)[: _MOST_ROWS + 1])


def _render(viewer: Viewer, keys: list[int]) -> bytes:
    if not keys:
        return KEEP_ALIVE
    workspace = viewer.principal.workspace
    found = read_api_filter(viewer.request.GET.dict()).apply(workspace).filter(pk__in=keys)
    rows: list[ApiEvent] = list(for_list(found))
    with timezone.override(viewer.preferences.zone):
        html = "".join(
            render_to_string("web/api_log/_row.html", {"event": row, "slug": workspace.slug, "request": viewer.page})
            for row in rows
        )
    return frame([part(html, target="#rows", swap="live-rows")] if html else [], cursor=max(keys))
