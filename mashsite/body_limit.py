"""Refuses bodies that are too large before they are read to the end."""

from typing import Any

from django.conf import settings

from runtime.sse import Receive, Scope, Send, send_error
from workspaces.api.envelope import PayloadTooLarge


class BodyLimit:
    """413 as soon as `Content-Length` or the bytes that came exceed `DATA_UPLOAD_MAX_MEMORY_SIZE`."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if declared.isdigit() and int(declared) > limit:
            await _refuse(send, limit)
            return
        received = 0

        async def counted_receive() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            # To Django it looks as if the client had left: it clears up and sends nothing.
            return message if received <= limit else {"type": "http.disconnect"}

        await self._application(scope, counted_receive, send)
        if received > limit:
            await _refuse(send, limit)


async def _refuse(send: Send, limit: int) -> None:
    await send_error(send, PayloadTooLarge(f"The body is larger than {limit} bytes.", details={"limit": limit}))
