"""Streams of one request and of one session, as ASGI handlers (extensions 2).

The log is the truth: a stream reads it after its cursor whenever the hub says that there may be more.
"""

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import ParamSpec, TypeVar

from django.http import HttpRequest
from django.utils import timezone

from agents.models import Agent
from runtime import news
from runtime.drafts import DRAFT_EVERY_S, find_draft
from runtime.errors import AgentNotFound, CursorAhead, RequestNotFound
from runtime.follow import PAGE_SIZE, follow
from runtime.hub import Watch, hub
from runtime.kinds import ASKING_EVENTS, TEXT_BOUNDARIES
from runtime.listening import Listening
from runtime.mirrors import fetch_mirrored
from runtime.models import AgentRequest, RuntimeEvent
from runtime.news import Delta, News
from runtime.public import frame, is_terminal_event, last_boundary
from runtime.readers import DATABASE_ERRORS, in_patient_reader, in_reader
from runtime.sse import (
    KEEP_ALIVE,
    KEEP_ALIVE_S,
    NotReady,
    Receive,
    Scope,
    Send,
    http_request,
    send_empty,
    send_error,
    send_frames,
)
from workspaces.api.envelope import InvalidBody
from workspaces.authenticate import Principal, authenticate
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope
from workspaces.scoping import only

Parameters = ParamSpec("Parameters")
Opening = TypeVar("Opening")

# What a client that reads slowly makes us hold
REQUEST_PAGE_SIZE = 100
PIECE_BYTES = 64 * 1024
_DRAFT_AGE = timedelta(seconds=DRAFT_EVERY_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOpening:
    principal: Principal
    agent_request: AgentRequest
    cursor: int
    boundary: int
    """The last event up to the cursor that begins or ends what a model says."""
    knows_cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpening:
    principal: Principal
    agent: Agent
    session_id: str
    cursor: int
    knows_cancelled: bool


async def request_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /api/v1/agent/{agent_id}/request/{request_id}/events`"""
    route = scope["url_route"]["kwargs"]
    try:
        request = http_request(scope)
        listening = Listening()
        with hub.watch(request_id=route["request_id"], listening=listening) as watch:
            opening = await _opened(_open_request, request, route["agent_id"], route["request_id"])
            if opening.agent_request.is_terminal and opening.cursor == opening.agent_request.last_sequence:
                await send_empty(send, 204)
                return
            await send_frames(request_frames(opening, watch, listening), receive, send)
    except MashError as error:
        await send_error(send, error)


async def session_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /api/v1/agent/{agent_id}/sessions/{session_id}/events`"""
    route = scope["url_route"]["kwargs"]
    try:
        request = http_request(scope)
        opening = await _opened(_open_session, request, route["agent_id"], route["session_id"])
        topic = news.session_topic(
            workspace_pk=opening.principal.workspace.pk, agent_pk=opening.agent.pk, session_id=opening.session_id
        )
        with hub.watch(session=topic) as watch:
            await send_frames(_session_frames(opening, watch), receive, send)
    except MashError as error:
        await send_error(send, error)


async def _opened(
    open_stream: Callable[Parameters, Opening], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Opening:
    try:
        return await in_reader(open_stream, *args, **kwargs)
    except DATABASE_ERRORS as error:
        raise NotReady("The database cannot be reached right now; try again.") from error


async def request_frames(opening: RequestOpening, watch: Watch, listening: Listening) -> AsyncGenerator[bytes, None]:
    """Every event after the cursor, and what is said meanwhile; ends after a terminal one that is the head of the log."""
    agent_request, watch.principal = opening.agent_request, opening.principal
    watch.advance(opening.cursor, opening.boundary)
    # A client that comes back has sent no event from which it shows whether a model is speaking.
    listening.lacks_text = opening.cursor > 0
    while not watch.is_over:
        page, draft = await in_patient_reader(
            _look, agent_request, watch.seen, is_asked_for_text=listening.wants_draft()
        )
        if page:
            watch.advance(page[-1].sequence, last_boundary(page))
            for piece in _pieces(opening, page):
                yield piece
        if len(page) == REQUEST_PAGE_SIZE:
            continue
        if page and is_terminal_event(page[-1]):
            return
        if text := listening.read_draft(draft, agent_request):
            yield text
        async for live in _live_frames(watch, listening, agent_request):
            yield live


def _pieces(opening: RequestOpening, page: list[RuntimeEvent]) -> Iterator[bytes]:
    """The page's frames, made piece by piece as the client takes them."""
    piece = b""
    for event in page:
        piece += frame(event, opening.agent_request, knows_cancelled=opening.knows_cancelled, cursor=event.sequence)
        if len(piece) >= PIECE_BYTES:
            yield piece
            piece = b""
    if piece:
        yield piece


async def _live_frames(watch: Watch, listening: Listening, agent_request: AgentRequest) -> AsyncIterator[bytes]:
    """What comes along with the news, until something must be read or the request has ended."""
    async for told in watch.news_without_gap(KEEP_ALIVE_S):
        if told is None:
            yield KEEP_ALIVE
        elif isinstance(told, News):
            watch.is_over = told.is_end
            yield told.frames
        elif text := listening.frame(told, agent_request):
            yield text


def _session_frames(opening: SessionOpening, watch: Watch) -> AsyncIterator[bytes]:
    """Every event of the session after the cursor, in the order of their ids; endless."""
    watch.principal = opening.principal

    def read_page(after: int, up_to: int) -> list[RuntimeEvent]:
        events = opening.principal.workspace.events.filter(
            session_id=opening.session_id, agent_request__agent=opening.agent, id__gt=after, id__lte=up_to
        )
        page = list(events.select_related("agent_request__agent").order_by("id")[:PAGE_SIZE])
        fetch_mirrored(opening.principal.workspace, page)
        return page

    def write(event: RuntimeEvent) -> bytes:
        return frame(event, event.agent_request, knows_cancelled=opening.knows_cancelled, cursor=event.event_id)

    return follow(watch, opening.cursor, read_page, write)


def _open_request(request: HttpRequest, agent_id: str, request_id: uuid.UUID) -> RequestOpening:
    principal = authenticate(request)
    principal.require(AccessScope.SESSIONS_READ)
    rows = principal.workspace.agent_requests.with_agent()
    agent_request = only(rows.filter(request_id=request_id, agent__agent_id=_clean(agent_id)))
    if agent_request is None:
        raise RequestNotFound("There is no such request.")
    cursor = cursor_of(request, "after_seq") or 0
    return open_request(principal, agent_request, cursor, knows_cancelled=knows_cancelled(request))


def open_request(
    principal: Principal, agent_request: AgentRequest, cursor: int, *, knows_cancelled: bool
) -> RequestOpening:
    """Where to begin; `CursorAhead` for a cursor that the log has not reached."""
    if cursor > agent_request.last_sequence:
        raise CursorAhead(
            f"The log ends at {agent_request.last_sequence}.", details={"head": agent_request.last_sequence}
        )
    return RequestOpening(
        principal=principal,
        agent_request=agent_request,
        cursor=cursor,
        boundary=_boundary_before(agent_request, cursor),
        knows_cancelled=knows_cancelled,
    )


def _boundary_before(agent_request: AgentRequest, cursor: int) -> int:
    if cursor == 0 or agent_request.is_terminal:
        return 0
    earlier = agent_request.events.filter(sequence__lte=cursor, event_type__in=TEXT_BOUNDARIES).order_by("-sequence")
    return earlier.values_list("sequence", flat=True).first() or 0


def _open_session(request: HttpRequest, agent_id: str, session_id: str) -> SessionOpening:
    principal = authenticate(request)
    principal.require(AccessScope.SESSIONS_READ)
    agent = only(principal.workspace.agents.filter(agent_id=_clean(agent_id)))
    if agent is None:
        raise AgentNotFound("There is no such agent.")
    return SessionOpening(
        principal=principal,
        agent=agent,
        session_id=_clean(session_id),
        cursor=cursor_of(request, "after_event_id") or 0,
        knows_cancelled=knows_cancelled(request),
    )


def _look(
    agent_request: AgentRequest, cursor: int, *, is_asked_for_text: bool
) -> tuple[list[RuntimeEvent], Delta | None]:
    """The next events, and the draft of a text that is being said since long enough to have one."""
    page = _request_page(agent_request, cursor)
    is_complete = len(page) < REQUEST_PAGE_SIZE
    is_late = bool(page) and page[-1].event_type in ASKING_EVENTS and timezone.now() - page[-1].created_at > _DRAFT_AGE
    return page, find_draft(agent_request) if is_complete and (is_late or is_asked_for_text) else None


def _request_page(agent_request: AgentRequest, cursor: int) -> list[RuntimeEvent]:
    page = list(agent_request.events.filter(sequence__gt=cursor).order_by("sequence")[:REQUEST_PAGE_SIZE])
    fetch_mirrored(agent_request.workspace, page)
    return page


def cursor_of(request: HttpRequest, parameter: str) -> int | None:
    """`Last-Event-ID`, else the query parameter, else None."""
    text = request.headers.get("Last-Event-ID", "").strip() or request.GET.get(parameter, "").strip()
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        fault = {
            "type": "int_parsing",
            "loc": ["query", parameter],
            "msg": "Not a cursor: a whole number from a stream's id.",
        }
        raise InvalidBody([fault])
    return int(text)


def knows_cancelled(request: HttpRequest) -> bool:
    """Whether the client said that it knows `request.cancelled`; those of 0.3.2 do not."""
    return request.GET.get("events") == "2" or request.headers.get("Mash-Events", "").strip() == "2"


def _clean(text: str) -> str:
    """An id from a path: trimmed, and harmless to the database if it holds a NUL."""
    return text.strip().replace("\x00", "\ufffd")
