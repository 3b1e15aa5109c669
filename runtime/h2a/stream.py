"""`GET /h2a/{served_id}/agent/{agent_id}/request/{request_id}`: the events of one request (contract 2.3.2)."""

import uuid

from django.http import HttpRequest

from runtime.errors import RequestNotFound
from runtime.h2a.errors import RouteNotFound, bare
from runtime.h2a.views import find_served
from runtime.hub import hub
from runtime.listening import Listening
from runtime.request_frames import RequestOpening, open_request, request_frames
from runtime.sse import Receive, Scope, Send, error_headers, http_request, send_empty, send_frames, send_json
from runtime.stream import cursor_of, knows_cancelled, opened
from workspaces.authenticate import authenticate_by_header
from workspaces.errors import MashError

# Safe as only a token in a header is accepted: no page can use what the browser holds.
_CORS = (b"Access-Control-Allow-Origin", b"*")


async def agent_stream(scope: Scope, receive: Receive, send: Send) -> None:
    try:
        request, route = http_request(scope), scope["url_route"]["kwargs"]
        request_id, listening = _as_uuid(route["request_id"]), Listening()
        with hub.watch(request_id=request_id, listening=listening) as watch:
            opening = await opened(_open, request, request_id, **route)
            if opening.has_nothing_left:
                await send_empty(send, 204)
                return
            await send_frames(request_frames(opening, watch, listening), receive, send, headers=[_CORS])
    except MashError as error:
        await send_json(send, error.status, bare(error), [*error_headers(error), _CORS])


def _as_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        return None


def _open(
    request: HttpRequest, key: uuid.UUID | None, *, served_id: str, agent_id: str, request_id: str
) -> RequestOpening:
    principal = authenticate_by_header(request)
    find_served(principal, served_id, agent_id)
    if not request_id.strip():
        raise RouteNotFound("There is no such route.")
    if key is None:
        raise RequestNotFound("There is no such request.")
    return open_request(
        principal,
        key,
        agent_id=agent_id,
        cursor=cursor_of(request, "after_seq") or 0,
        knows_cancelled=knows_cancelled(request),
    )
