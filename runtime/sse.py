"""The wire of a server-sent event stream: opening, frames, keep-alives, and noticing that the client has gone."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from io import BytesIO
from typing import Any

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest

from workspaces.api.envelope import InvalidRequest, error_body
from workspaces.errors import MashError

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

KEEP_ALIVE_S = 15.0
KEEP_ALIVE = b": keep-alive\n\n"
OPENING = b"retry: 2000\n\n"
_HEADERS = [
    (b"Content-Type", b"text/event-stream; charset=utf-8"),
    (b"Cache-Control", b"no-cache, no-transform"),
    (b"X-Accel-Buffering", b"no"),
    (b"Content-Encoding", b"identity"),
    (b"X-Content-Type-Options", b"nosniff"),
]


class NotReady(MashError):
    """The database is away."""

    code = "RUNTIME_NOT_READY"
    status = 503
    retryable = True


class MethodNotAllowed(MashError):
    code = "METHOD_NOT_ALLOWED"
    status = 405


def http_request(scope: Scope) -> ASGIRequest:
    """Django's view of the scope, for `authenticate()` and the query string; refused as Django refuses a request."""
    request = ASGIRequest(dict(scope), BytesIO())
    if request.method != "GET":
        raise MethodNotAllowed("A stream is opened with GET.")
    try:
        request.get_host()
    except DisallowedHost as error:
        raise InvalidRequest("The site does not answer to this host name.") from error
    return request


async def send_frames(
    frames: AsyncIterator[bytes], receive: Receive, send: Send, *, headers: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    """Sends what the iterator gives until it ends or the client leaves, whichever comes first."""
    await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, *headers]})
    pump = asyncio.ensure_future(_pump(frames, send))
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        if pump.done() and (error := pump.exception()):
            # Ended in good form, so that the client sees it and comes back with its cursor.
            logger.warning("A stream broke off: %s", error, extra={"action": "stream.broken"})
            await send({"type": "http.response.body", "body": b""})
    finally:
        has_left = gone.done()
        for task in (pump, gone):
            task.cancel()
        failure, _ = await asyncio.gather(pump, gone, return_exceptions=True)
    if isinstance(failure, Exception) and not has_left:
        # An ended stream without a terminal event: the client comes back with its cursor.
        logger.warning("A stream broke", exc_info=failure, extra={"action": "stream.broken"})
        await send({"type": "http.response.body", "body": b""})


async def send_empty(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def send_error(send: Send, error: MashError) -> None:
    await send_json(send, error.status, error_body(error.code, error.message, error.details), _extra(error))


async def send_json(
    send: Send, status: int, content: dict[str, Any], headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    body = json.dumps(content, separators=(",", ":")).encode()
    start = [(b"Content-Type", b"application/json"), (b"Content-Length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": start + (headers or [])})
    await send({"type": "http.response.body", "body": body})


def _extra(error: MashError) -> list[tuple[bytes, bytes]]:
    named = {401: (b"WWW-Authenticate", b"Bearer"), 405: (b"Allow", b"GET")}
    return [named[error.status]] if error.status in named else []


async def _pump(frames: AsyncIterator[bytes], send: Send) -> None:
    await send({"type": "http.response.body", "body": OPENING, "more_body": True})
    async for frame in frames:
        await send({"type": "http.response.body", "body": frame, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
