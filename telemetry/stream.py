"""The workspace's log as it grows (contract 2.3.3, extensions 2)."""

import json
from dataclasses import dataclass

from django.http import HttpRequest

from agents.models import Agent
from runtime.api.observability import require_observability
from runtime.errors import AgentNotFound
from runtime.follow import PAGE_SIZE, follow, newest_settled
from runtime.hub import hub
from runtime.mirrors import fetch_mirrored
from runtime.models import RuntimeEvent
from runtime.readers import DATABASE_ERRORS, in_reader
from runtime.sse import NotReady, Receive, Scope, Send, http_request, send_error, send_frames
from runtime.stream import cursor_of
from runtime.traces.serialise import EventFilter, event_row
from workspaces.authenticate import Principal, authenticate
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope
from workspaces.scoping import only


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    principal: Principal
    which: EventFilter
    cursor: int | None
    """Where to go on; None begins with what happens from now on."""


async def event_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /api/v1/telemetry/events/stream`: new events of the workspace, or of one agent, session or trace."""
    try:
        opening = await _opened(http_request(scope))
        with hub.watch(workspace=opening.principal.workspace.pk) as watch:
            watch.principal = opening.principal
            cursor = await newest_settled() if opening.cursor is None else opening.cursor

            def read_page(after: int, up_to: int) -> list[RuntimeEvent]:
                events = opening.which.apply(opening.principal.workspace).filter(id__gt=after, id__lte=up_to)
                page = list(events.order_by("id")[:PAGE_SIZE])
                fetch_mirrored(opening.principal.workspace, page)
                return page

            await send_frames(follow(watch, cursor, read_page, _frame), receive, send)
    except MashError as error:
        await send_error(send, error)


async def _opened(request: HttpRequest) -> Opening:
    try:
        return await in_reader(_open, request)
    except DATABASE_ERRORS as error:
        raise NotReady("The database cannot be reached right now; try again.") from error


def _open(request: HttpRequest) -> Opening:
    principal = authenticate(request)
    principal.require(AccessScope.TELEMETRY_READ)
    require_observability()
    return Opening(
        principal=principal,
        which=EventFilter(
            agent_id=_agent_id(request, principal),
            session_id=_text(request, "session_id"),
            trace_id=_text(request, "trace_id"),
        ),
        cursor=cursor_of(request, "after_event_id"),
    )


def _agent_id(request: HttpRequest, principal: Principal) -> str | None:
    """The agent that was asked for, which must be there; None for the whole workspace."""
    agent_id = _text(request, "agent_id")
    agent: Agent | None = only(principal.workspace.agents.filter(agent_id=agent_id)) if agent_id else None
    if agent_id and agent is None:
        raise AgentNotFound("There is no such agent.")
    return agent_id


def _text(request: HttpRequest, name: str) -> str | None:
    return request.GET.get(name, "").strip().replace("\x00", "\ufffd") or None


def _frame(event: RuntimeEvent) -> bytes:
    """Without a name, so that a browser's `onmessage` sees it."""
    return f"id: {event.event_id}\ndata: {json.dumps(event_row(event), separators=(',', ':'))}\n\n".encode()
