"""The API log's list as calls are answered. Where they come faster than anybody reads, it tells how fast instead."""

import time
from collections.abc import AsyncIterator

from django.template.loader import render_to_string
from django.utils import timezone

from runtime.hub import Watch, hub
from runtime.readers import in_patient_reader
from runtime.sse import KEEP_ALIVE, KEEP_ALIVE_S, Receive, Scope, Send, send_error, send_frames
from runtime.stream import cursor_of
from telemetry.api_log.feed import Reader, api_feed
from telemetry.live.door import Viewer, opened
from telemetry.live.frames import RESYNC, frame, part
from telemetry.live.limits import counted
from telemetry.models import ApiEvent
from telemetry.query.api_events import for_list, read_api_filter
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope

_MOST_A_SECOND = 20
_MOST_ROWS = 200


async def api_log_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/api-log/stream`, with the page's filters and `after`, the newest call that it shows."""
    try:
        viewer, missed = await opened(scope, AccessScope.TELEMETRY_READ, _missed)
        principal = viewer.principal
        workspace_pk = principal.workspace.pk
        with counted(principal), hub.watch(workspace=workspace_pk) as watch, api_feed.read(workspace_pk) as reader:
            watch.principal = principal
            await send_frames(_frames(viewer, missed, watch, reader), receive, send)
    except MashError as error:
        await send_error(send, error)


def _missed(viewer: Viewer) -> tuple[Viewer, list[int]]:
    after = cursor_of(viewer.request, "after") or 0
    events = viewer.principal.workspace.api_events.filter(id__gt=after).order_by("-id")
    return viewer, list(events.values_list("pk", flat=True)[: _MOST_ROWS + 1])


async def _frames(viewer: Viewer, missed: list[int], watch: Watch, reader: Reader) -> AsyncIterator[bytes]:
    yield RESYNC if len(missed) > _MOST_ROWS else await in_patient_reader(_render, viewer, missed)
    began, count = time.monotonic(), 0
    while not watch.is_over:
        if not await reader.wait(KEEP_ALIVE_S):
            yield KEEP_ALIVE
            continue
        keys = [event.pk for event in reader.waiting]
        reader.waiting.clear()
        if time.monotonic() - began >= 1:
            began, count = time.monotonic(), 0
        count += len(keys)
        if count > _MOST_A_SECOND:
            yield frame([part(f"{count} calls a second: reload to see the newest", target="#rate", swap="innerHTML")])
        else:
            yield await in_patient_reader(_render, viewer, keys)


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
