"""The events of one request of an agent, as the host API streams them (contract 2.3.2)."""

import uuid

from django.http import HttpRequest

from runtime.errors import RequestNotFound
from runtime.h2a.door import OPEN_TO_ALL, check_route, enter, error_body
from runtime.hub import hub
from runtime.listening import Listening
from runtime.readers import DATABASE_ERRORS, in_reader
from runtime.sse import NotReady, Receive, Scope, Send, http_request, send_frames
from runtime.stream import RequestOpening, knows_cancelled, open_request, request_frames
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope
from workspaces.scoping import only

_HEADERS = [(name.encode(), value.encode()) for name, value in OPEN_TO_ALL.items()]


async def agent_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /h2a/{agent_id}/agent/{agent_id}/request/{request_id}`"""
    route, listening = scope["url_route"]["kwargs"], Listening()
    try:
        request_id = uuid.UUID(route["request_id"])
    except ValueError:
        request_id = uuid.UUID(int=0)
    try:
        request = http_request(scope)
        with hub.watch(request_id=request_id, listening=listening) as watch:
            try:
                opening = await in_reader(_open, request, route["agent_id"], route["named"], request_id)
            except DATABASE_ERRORS as error:
                raise NotReady("The database cannot be reached right now; try again.") from error
            await send_frames(request_frames(opening, watch, listening), receive, send, headers=_HEADERS)
    except MashError as error:
        start = [(b"Content-Type", b"application/json"), *_HEADERS]
        await send({"type": "http.response.start", "status": error.status, "headers": start})
        await send({"type": "http.response.body", "body": error_body(error)})


def _open(request: HttpRequest, agent_id: str, named: str, request_id: uuid.UUID) -> RequestOpening:
    principal, agent = enter(request, agent_id, scope=AccessScope.SESSIONS_READ)
    check_route(agent, named)
    agent_request = only(agent.requests.with_agent().filter(request_id=request_id))
    if agent_request is None:
        raise RequestNotFound("There is no such request.")
    return open_request(principal, agent_request, 0, knows_cancelled=knows_cancelled(request))
