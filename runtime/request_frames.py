"""The public events of one request, from a cursor to its end: what every kind of stream delivers.

The log is the truth: it is read after the cursor whenever the hub says that there may be more.
"""

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from runtime.drafts import DRAFT_EVERY_S, find_draft
from runtime.errors import CursorAhead, RequestNotFound
from runtime.hub import Watch
from runtime.kinds import ASKING_EVENTS, TEXT_BOUNDARIES
from runtime.listening import Listening
from runtime.mirrors import fetch_mirrored
from runtime.models import AgentRequest, RuntimeEvent
from runtime.news import Delta, News
from runtime.public import frame, is_terminal_event, last_boundary
from runtime.readers import in_patient_reader
from runtime.sse import KEEP_ALIVE, KEEP_ALIVE_S
from workspaces.authenticate import Principal
from workspaces.roles import Scope
from workspaces.scoping import only

# What a client that reads slowly makes us hold
PAGE_SIZE = 100
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

    @property
    def has_nothing_left(self) -> bool:
        """The cursor is the head of a request that has ended."""
        return self.agent_request.is_terminal and self.cursor == self.agent_request.last_sequence


def open_request(
    principal: Principal,
    request_id: uuid.UUID,
    *,
    agent_id: str | None = None,
    cursor: int,
    knows_cancelled: bool,
) -> RequestOpening:
    """Finds the request in the caller's workspace and checks the cursor; with an `agent_id` it must be that agent's."""
    principal.require(Scope.SESSIONS_READ)
    rows = principal.workspace.agent_requests.with_agent().filter(request_id=request_id)
    agent_request = only(rows if agent_id is None else rows.filter(agent__agent_id=agent_id))
    if agent_request is None:
        raise RequestNotFound("There is no such request.")
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
        if len(page) == PAGE_SIZE:
            continue
        if page and is_terminal_event(page[-1]):
            return
        if text := listening.read_draft(draft, agent_request):
            yield text
        async for live in _live_frames(watch, listening, agent_request):
            yield live


def _pieces(opening: RequestOpening, page: list[RuntimeEvent]) -> Iterator[bytes]:
    """The page's frames, in pieces that are made when the client has room for them."""
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


def _boundary_before(agent_request: AgentRequest, cursor: int) -> int:
    if cursor == 0 or agent_request.is_terminal:
        return 0
    earlier = agent_request.events.filter(sequence__lte=cursor, event_type__in=TEXT_BOUNDARIES).order_by("-sequence")
    return earlier.values_list("sequence", flat=True).first() or 0


def _look(
    agent_request: AgentRequest, cursor: int, *, is_asked_for_text: bool
) -> tuple[list[RuntimeEvent], Delta | None]:
    """The next events, and the draft of a text that is being said since long enough to have one."""
    page = _request_page(agent_request, cursor)
    is_complete = len(page) < PAGE_SIZE
    is_late = bool(page) and page[-1].event_type in ASKING_EVENTS and timezone.now() - page[-1].created_at > _DRAFT_AGE
    return page, find_draft(agent_request) if is_complete and (is_late or is_asked_for_text) else None


def _request_page(agent_request: AgentRequest, cursor: int) -> list[RuntimeEvent]:
    page = list(agent_request.events.filter(sequence__gt=cursor).order_by("sequence")[:PAGE_SIZE])
    fetch_mirrored(agent_request.workspace, page)
    return page
