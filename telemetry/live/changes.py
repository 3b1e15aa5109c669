"""A page's stream of what changes in its workspace: opened like the page, never slower than its reader, resumed without loss."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from runtime.hub import Watch, hub
from runtime.readers import in_patient_reader
from runtime.sse import KEEP_ALIVE, Receive, Scope, Send, send_error, send_frames
from runtime.stream import cursor_of
from telemetry.live.badge import InboxBadge
from telemetry.live.door import Viewer, opened
from telemetry.live.feed import Changes, Feed, feeds
from telemetry.live.frames import RESYNC, frame
from telemetry.live.limits import counted
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope

# Ids are drawn before their transactions commit, so a page that was rendered at one id may lack a smaller one.
_TRAILING_EVENTS = 500
_MOST_REQUESTS = 200

Show = Callable[[Sequence[int]], list[str]]
"""From keys of requests that have changed to the parts of the page that show them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    viewer: Viewer
    after: int
    show: Show
    badge: InboxBadge = field(default_factory=InboxBadge)


async def send_changes(
    scope: Scope, receive: Receive, send: Send, *, needed: AccessScope, shown_to: Callable[[Viewer], Show]
) -> None:
    """Streams to one client until it leaves; `after` in the address is the event id that its page was made at."""

    def open_it(viewer: Viewer) -> Opening:
        return Opening(viewer=viewer, after=_after(viewer), show=shown_to(viewer))

    try:
        opening = await opened(scope, needed, open_it)
        principal = opening.viewer.principal
        workspace_pk = principal.workspace.pk
        with counted(principal), hub.watch(workspace=workspace_pk) as watch, feeds.of(workspace_pk) as feed:
            watch.principal = principal
            await send_frames(_frames(opening, feed, watch), receive, send)
    except MashError as error:
        await send_error(send, error)


def _after(viewer: Viewer) -> int:
    after = cursor_of(viewer.request, "after") or 0
    return after if "Last-Event-ID" in viewer.request.headers else max(0, after - _TRAILING_EVENTS)


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
    pks = set(events.values_list("agent_request_id", flat=True).distinct()[: _MOST_REQUESTS + 1])
    return _changed(opening, Changes(frozenset(pks), up_to))


def _changed(opening: Opening, changes: Changes) -> bytes:
    if len(changes.request_pks) > _MOST_REQUESTS:
        return RESYNC
    with timezone.override(opening.viewer.preferences.zone):
        parts = opening.show(sorted(changes.request_pks))
    return frame([*parts, *opening.badge.changed(opening.viewer.principal.workspace)], cursor=changes.cursor)
