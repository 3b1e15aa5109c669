"""The whole filter as lines of JSON, read piece by piece: no thread and no connection is held while the client takes its time."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from runtime.models import AgentRequest
from runtime.public import request_row
from runtime.readers import in_reader
from runtime.sse import Receive, Scope, Send, send_error
from telemetry.live.door import Viewer, opened
from telemetry.live.limits import counted
from telemetry.query.pages import latest_page
from telemetry.query.requests import RequestFilter, read_request_filter
from workspaces.api.envelope import InvalidRequest
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope

MOST_ROWS = 100_000
_PIECE = 500
_HEADERS = [
    (b"Content-Type", b"application/x-ndjson; charset=utf-8"),
    (b"Content-Disposition", b'attachment; filename="requests.jsonl"'),
    (b"Cache-Control", b"private, no-store"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"X-Frame-Options", b"DENY"),
    (b"Content-Security-Policy", b"default-src 'none'; frame-ancestors 'none'"),
]


@dataclass(frozen=True, slots=True)
class Wanted:
    viewer: Viewer
    which: RequestFilter


async def request_export(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/requests/export`, with the filters of the page."""
    try:
        wanted = await opened(scope, AccessScope.SESSIONS_READ, _open)
        with counted(wanted.viewer.principal):
            await _send_until_gone(wanted, receive, send)
    except MashError as error:
        await send_error(send, error)


def _open(viewer: Viewer) -> Wanted:
    which = read_request_filter(viewer.request.GET.dict())
    if which.faults or which.hint:
        # A file that holds other rows than those asked for would not say so
        raise InvalidRequest(" ".join([*map(str, which.faults), which.hint]).strip())
    return Wanted(viewer, which)


async def _send_until_gone(wanted: Wanted, receive: Receive, send: Send) -> None:
    sending, gone = asyncio.ensure_future(_send_all(wanted, send)), asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            # A failure breaks the answer off, so that half a file is not taken for all of it
            sending.result()
    finally:
        for task in (sending, gone):
            task.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)


async def _send_all(wanted: Wanted, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    async for piece in _pieces(wanted):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _pieces(wanted: Wanted) -> AsyncIterator[bytes]:
    cursor = ""
    for _ in range(MOST_ROWS // _PIECE):
        piece, cursor = await in_reader(_read, wanted, cursor)
        yield piece
        if not cursor:
            return
    yield json.dumps({"cut_after": MOST_ROWS}).encode() + b"\n"


def _read(wanted: Wanted, cursor: str) -> tuple[bytes, str]:
    rows = wanted.which.apply(wanted.viewer.principal.workspace).with_relatives()
    page = latest_page(rows, cursor, by="accepted_at", size=_PIECE)
    lines = [json.dumps(_line(row), separators=(",", ":")) for row in page.rows]
    return "".join(f"{line}\n" for line in lines).encode(), page.next


def _line(row: AgentRequest) -> dict[str, Any]:
    return {**request_row(row), "message": row.message, "answer_preview": row.answer_preview}
