"""The stream of a run: its request's, found by the run's id."""

from collections.abc import Callable

from runtime.hub import hub
from runtime.listening import Listening
from runtime.readers import DATABASE_ERRORS, in_reader
from runtime.sse import NotReady, Receive, Scope, Send, http_request, send_empty, send_error, send_frames
from runtime.stream import RequestOpening, cursor_of, knows_cancelled, open_request, request_frames
from workflows.api.lookup import find_run
from workspaces.authenticate import authenticate
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope


async def run_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /api/v1/workflows/{workflow_id}/runs/{run_id}/events`: resumed with `Last-Event-ID` like any request's."""
    route = scope["url_route"]["kwargs"]
    request = http_request(scope)

    def open_it() -> RequestOpening:
        principal = authenticate(request)
        principal.require(AccessScope.SESSIONS_READ)
        run = find_run(principal.workspace, route["workflow_id"].strip(), route["run_id"].strip())
        cursor = cursor_of(request, "after_seq") or 0
        return open_request(principal, run.agent_request, cursor, knows_cancelled=knows_cancelled(request))

    try:
        found = await _opened(open_it)
        with hub.watch(request_id=found.agent_request.request_id, listening=(listening := Listening())) as watch:
            # Once more, now that nothing can be missed.
            opening = await _opened(open_it)
            if opening.agent_request.is_terminal and opening.cursor == opening.agent_request.last_sequence:
                await send_empty(send, 204)
                return
            await send_frames(request_frames(opening, watch, listening), receive, send)
    except MashError as error:
        await send_error(send, error)


async def _opened(open_it: Callable[[], RequestOpening]) -> RequestOpening:
    try:
        return await in_reader(open_it)
    except DATABASE_ERRORS as error:
        raise NotReady("The database cannot be reached right now; try again.") from error
