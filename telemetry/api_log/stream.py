"""New calls of the API as they are answered (contract 2.3.3)."""

import json
from collections.abc import AsyncIterator

from django.http import HttpRequest

from runtime.api.observability import require_observability
from runtime.hub import Watch, hub
from runtime.readers import DATABASE_ERRORS, in_patient_reader, in_reader
from runtime.sse import KEEP_ALIVE, NotReady, Receive, Scope, Send, http_request, send_error, send_frames
from runtime.stream import cursor_of
from telemetry.api_log.feed import ApiFeed, api_feeds
from telemetry.models import ApiEvent
from workspaces.authenticate import Principal, authenticate
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope

_MOST_REPLAYED = 2000


async def api_event_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /api/v1/telemetry/api/events/stream`: from `Last-Event-ID` or `after_event_id` on, else from now."""
    try:
        principal, cursor = await _opened(http_request(scope))
        workspace_pk = principal.workspace.pk
        with hub.watch(workspace=workspace_pk) as watch, api_feeds.of(workspace_pk) as feed:
            watch.principal = principal
            await send_frames(_frames(principal, cursor, watch, feed), receive, send)
    except MashError as error:
        await send_error(send, error)


async def _opened(request: HttpRequest) -> tuple[Principal, int | None]:
    def open_it() -> tuple[Principal, int | None]:
        principal = authenticate(request)
        principal.require(AccessScope.TELEMETRY_READ)
        require_observability()
        return principal, cursor_of(request, "after_event_id")

    try:
        return await in_reader(open_it)
    except DATABASE_ERRORS as error:
        raise NotReady("The database cannot be reached right now; try again.") from error


async def _frames(principal: Principal, cursor: int | None, watch: Watch, feed: ApiFeed) -> AsyncIterator[bytes]:
    await feed.begin()
    with feed.read() as reader:
        missed = await in_patient_reader(_missed, principal, cursor) if cursor is not None else []
        for event in missed:
            yield _frame(event)
        sent = {event.pk for event in missed}
        async for rows in reader.rows(watch):
            yield b"".join(_frame(event) for event in rows if event.pk not in sent) or KEEP_ALIVE


def _missed(principal: Principal, cursor: int) -> list[ApiEvent]:
    events = principal.workspace.api_events.filter(id__gt=cursor)
    return list(events.order_by("-id")[:_MOST_REPLAYED])[::-1]


def _frame(event: ApiEvent) -> bytes:
    """Without a name, so that a browser's `onmessage` sees it."""
    return f"id: {event.pk}\ndata: {json.dumps(event.as_json(), separators=(',', ':'))}\n\n".encode()
