"""A request's page while the request runs: the difference between the log that the browser has and the log as it is."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape

from runtime.drafts import find_draft
from runtime.hub import Watch, hub
from runtime.kinds import TEXT_BOUNDARIES, Status
from runtime.listening import Listening
from runtime.models import AgentRequest
from runtime.news import Delta
from runtime.readers import in_patient_reader
from runtime.sse import KEEP_ALIVE, KEEP_ALIVE_S, Receive, Scope, Send, send_error, send_frames
from runtime.steer import offered_verbs
from runtime.stream import cursor_of
from telemetry.live.door import Viewer, opened
from telemetry.live.frames import END, frame, part
from telemetry.live.limits import counted
from telemetry.show.spans import Trace, trace_of
from telemetry.web.trace.choice import chosen
from telemetry.web.trace.events import read_events
from telemetry.web.trace.log import read_lines
from telemetry.web.trace.page import Row, TracePage, find_request, read_page
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope

_AT_LEAST_S = 0.2
_TICK_S = 1.0


@dataclass(slots=True, kw_only=True)
class Shown:
    """What the browser shows of the request, and how to go on from there."""

    viewer: Viewer
    agent_request: AgentRequest
    trace: Trace
    view: str
    looks: dict[str, tuple[object, ...]] = field(default_factory=dict)
    """Of the rows that are there, by the key of their span."""
    lane_s: float = 0.0
    boundary: int = 0


async def request_page_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/requests/<id>/stream`, with the page's parameters and `after`, the sequence that it was made at."""
    request_id: uuid.UUID = scope["url_route"]["kwargs"]["request_id"]
    listening = Listening()
    try:
        with hub.watch(request_id=request_id, listening=listening) as watch:
            shown = await opened(scope, AccessScope.SESSIONS_READ, partial(_open, request_id))
            watch.principal = shown.viewer.principal
            with counted(shown.viewer.principal):
                await send_frames(_frames(shown, watch, listening), receive, send)
    except MashError as error:
        await send_error(send, error)


def _open(request_id: uuid.UUID, viewer: Viewer) -> Shown:
    """As the browser has it: the log up to its cursor, folded."""
    agent_request = find_request(viewer.principal.workspace, request_id)
    cursor = min(cursor_of(viewer.request, "after") or 0, agent_request.last_sequence)
    lines = read_lines(agent_request, after=0, up_to=cursor)
    trace = trace_of(lines)
    trace.sequence = cursor
    shown = Shown(
        viewer=viewer, agent_request=agent_request, trace=trace, view=viewer.request.GET.get("view", "waterfall")
    )
    shown.boundary = max((line.sequence for line in lines if line.event_type in TEXT_BOUNDARIES), default=0)
    page = read_page(agent_request, trace)
    shown.lane_s = page.axis.seconds
    shown.looks = {row.span.key: row.span.look for row in chosen(page, viewer.request.GET.dict())}
    return shown


async def _frames(shown: Shown, watch: Watch, listening: Listening) -> AsyncIterator[bytes]:
    yield frame([_live_text("")])
    listening.lacks_text = True
    while not watch.is_over:
        parts, draft = await in_patient_reader(_advance, shown, looks_for_draft=listening.wants_draft())
        watch.advance(shown.trace.sequence, shown.boundary)
        listening.read_draft(None, shown.agent_request)
        if draft and (new := listening.new_part(draft)):
            parts.append(_live_text(new.text))
        yield frame(parts, cursor=shown.trace.sequence)
        if shown.agent_request.is_terminal:
            yield END
            return
        async for told in _until_something_is_written(shown, watch, listening):
            yield told


async def _until_something_is_written(shown: Shown, watch: Watch, listening: Listening) -> AsyncIterator[bytes]:
    """What is being said and how long it takes, without a query."""
    is_running = shown.agent_request.status == Status.RUNNING
    async for told in watch.news_without_gap(_TICK_S if is_running else KEEP_ALIVE_S):
        if told is None:
            yield await in_patient_reader(_tick, shown) if is_running else KEEP_ALIVE
        elif isinstance(told, Delta):
            if new := listening.new_part(told):
                is_first = listening.pieces == 1
                text = escape(new.text)
                yield frame([_live_text(new.text) if is_first else part(text, target="#live-words", swap="beforeend")])
        else:
            await asyncio.sleep(_AT_LEAST_S)
            return
        await asyncio.sleep(_AT_LEAST_S)


def _advance(shown: Shown, *, looks_for_draft: bool) -> tuple[list[str], Delta | None]:
    """Folds what has been written since, and renders what looks different now."""
    before = shown.trace.sequence
    workspace = shown.viewer.principal.workspace
    shown.agent_request = find_request(workspace, shown.agent_request.request_id)
    head = shown.agent_request.last_sequence
    lines = read_lines(shown.agent_request, after=before, up_to=head)
    for line in lines:
        shown.trace.take(line)
    shown.trace.sequence = head
    boundaries = [line.sequence for line in lines if line.event_type in TEXT_BOUNDARIES]
    shown.boundary = max([shown.boundary, *boundaries])
    parts = _render(shown, before) if head > before else []
    if boundaries:
        parts.append(_live_text(""))
    return parts, find_draft(shown.agent_request) if looks_for_draft else None


def _render(shown: Shown, before: int) -> list[str]:
    page = read_page(shown.agent_request, shown.trace)
    with timezone.override(shown.viewer.preferences.zone):
        parts = [_header(shown, page), _questions(shown)]
        if shown.view == "events":
            return [*parts, *_new_events(shown, before)]
        if shown.view == "conversation":
            html = _template(shown, "_conversation", page=page)
            return [*parts, part(html, target="#view", swap="innerMorph")]
        return [*parts, *_rows(shown, page)]


def _rows(shown: Shown, page: TracePage) -> Iterator[str]:
    """Changed rows in place, new ones at the end; all of them when the lane's scale has changed."""
    rows = chosen(page, shown.viewer.request.GET.dict())
    is_rescaled = abs(page.axis.seconds - shown.lane_s) > 1e-6
    shown.lane_s = page.axis.seconds
    if is_rescaled:
        shown.looks = {row.span.key: row.span.look for row in rows}
        html = _template(shown, "_rows", page=page, rows=rows, view=shown.view)
        yield part(html, target="#view", swap="innerMorph")
        return
    for row in rows:
        if shown.looks.get(row.span.key) == row.span.look:
            continue
        is_new = row.span.key not in shown.looks
        shown.looks[row.span.key] = row.span.look
        yield _row(shown, row, is_new=is_new)


def _row(shown: Shown, row: Row, *, is_new: bool) -> str:
    html = _template(shown, "_row", row=row, view=shown.view)
    return part(html, target="#rows" if is_new else f"#{row.dom_id}", swap="beforeend" if is_new else "outerMorph")


def _tick(shown: Shown) -> bytes:
    """What goes on is a second longer."""
    if shown.view not in {"waterfall", "tree"}:
        return KEEP_ALIVE
    page = read_page(shown.agent_request, shown.trace)
    if abs(page.axis.seconds - shown.lane_s) > 1e-6:
        return frame(_rows(shown, page))
    rows = [row for row in page.table if row.bar.is_open and row.span.key in shown.looks]
    return frame(_row(shown, row, is_new=False) for row in rows)


def _header(shown: Shown, page: TracePage) -> str:
    may_steer = AccessScope.AGENTS_RUN in shown.viewer.principal.scopes
    verbs = offered_verbs(shown.agent_request) if may_steer else []
    return part(_template(shown, "_header", page=page, verbs=verbs), target="#header", swap="outerMorph")


def _questions(shown: Shown) -> str:
    is_over = shown.agent_request.is_terminal
    open_ones = [] if is_over else list(shown.agent_request.interactions.filter(state="open"))
    return part(_template(shown, "_questions", interactions=open_ones), target="#questions", swap="outerMorph")


def _new_events(shown: Shown, before: int) -> list[str]:
    asked = {**shown.viewer.request.GET.dict(), "after": str(before)}
    html = _template(shown, "_event_items", events=read_events(shown.agent_request, asked))
    return [part(html, target="#events", swap="beforeend")] if html.strip() else []


def _template(shown: Shown, name: str, **context: object) -> str:
    viewer = shown.viewer
    about = {"agent_request": shown.agent_request, "slug": viewer.principal.workspace.slug, "request": viewer.page}
    return render_to_string(f"web/trace/{name}.html", {**about, **context})


def _live_text(text: str) -> str:
    html = render_to_string("web/trace/_live_text.html", {"live_text": text})
    return part(html, target="#live-text", swap="outerHTML")
