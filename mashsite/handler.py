"""Django behind ASGI, in a small pool of threads.

Django's own handler makes a thread, two tasks and several hops between threads for each request, so that views may be
asynchronous and answers endless. Ours are neither (streams are handlers of their own, `runtime.stream`): one hop to a
thread of the pool does everything, and the thread lets go of its database connection at the end.
"""

import asyncio
import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import Any

from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix
from typing_extensions import override

from runtime.sse import Receive, Scope, Send, send_error
from workspaces.api.envelope import PayloadTooLarge

Body = SpooledTemporaryFile[bytes]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class PooledHandler(ASGIHandler):
    def __init__(self) -> None:
        super().__init__()
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(settings.MASH_WEB_THREADS, thread_name_prefix="web")

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]  # the stubs only read messages
        try:
            body = await _read_body(scope, receive)
        except PayloadTooLarge as error:
            await send_error(send, error)
            return
        if body is None:
            return
        loop = asyncio.get_running_loop()
        told = _with_length(scope, body)
        status, headers, content = await loop.run_in_executor(self._threads, self._answer, told, body)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, scope: Scope, body: Body) -> Answer:
        """Everything that Django does for a request; `request_finished` closes or returns database connections."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        response = refusal if request is None else self.get_response(request)
        assert response is not None  # noqa: S101  a request that could not be made comes with its refusal
        response._handler_class = type(self)  # type: ignore[attr-defined]  # the sender of request_finished
        try:
            return response.status_code, _headers(response), b"".join(response)
        finally:
            response.close()
            body.close()


async def _read_body(scope: Scope, receive: Receive) -> Body | None:
    """The whole body, on disk beyond a megabyte, or None if the client left; `PayloadTooLarge` as soon as it shows to be."""
    limit = _body_limit(scope["path"])
    too_large = PayloadTooLarge(f"The body is larger than {limit} bytes.", details={"limit": limit})
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    with ExitStack() as unless_read:
        body = unless_read.enter_context(Body(max_size=settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
        while True:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                return None
            body.write(message.get("body", b""))
            if body.tell() > limit:
                raise too_large
            if not message.get("more_body", False):
                body.seek(0)
                unless_read.pop_all()
                return body


def _with_length(scope: Scope, body: Body) -> Scope:
    """The length that was read; one that comes in chunks is not announced, and would be taken for empty."""
    others = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
    length = body.seek(0, os.SEEK_END)
    body.seek(0)
    return {**scope, "headers": [*others, (b"content-length", str(length).encode())] if length else others}


def _body_limit(path: str) -> int:
    """Attachments travel in the bodies of few routes; all others stay small."""
    for pattern, limit in settings.MASH_BODY_LIMITS.items():
        if re.fullmatch(pattern, path):
            return int(limit)
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    cookies = [cookie.output(header="").strip().encode("ascii") for cookie in response.cookies.values()]
    return headers + [(b"Set-Cookie", cookie) for cookie in cookies]
