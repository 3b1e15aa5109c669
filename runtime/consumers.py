"""`/ws/v1/`: many requests over one connection (extensions 2).

Each subscription is a task that reads the same frames as a stream. It goes on reading only when the client has taken
what it was sent (`runtime.web_server` makes `send` wait for that), so a slow client costs one page of its log.
"""

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from typing_extensions import override

from runtime.hub import hub
from runtime.kinds import PUBLIC_NAMES, TERMINAL_EVENTS
from runtime.listening import Listening
from runtime.readers import DATABASE_ERRORS
from runtime.request_frames import RequestOpening, open_request, request_frames
from runtime.sse import NotReady, read_frames
from runtime.websocket.commands import Command, acknowledgement, read_command, refusal, values_of
from runtime.websocket.errors import AccessEnded, AlreadySubscribed, NotSubscribed, TooManySubscriptions
from runtime.websocket.operations import caller, in_thread, operate, present_caller
from workspaces.api.envelope import error_body
from workspaces.errors import MashError

logger = logging.getLogger(__name__)

MAX_SUBSCRIPTIONS = 64
_NOTHING: Mapping[str, Any] = {}
_TERMINAL_NAMES = frozenset(PUBLIC_NAMES[kind] for kind in TERMINAL_EVENTS)


class SocketConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._subscriptions: dict[uuid.UUID, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()

    @override
    async def connect(self) -> None:
        try:
            await in_thread(caller, self.scope)
        except MashError as error:
            await self.close(code=close_code(error))
            return
        await self.accept()

    @override
    async def disconnect(self, code: int) -> None:
        for task in self._subscriptions.values():
            task.cancel()
        await asyncio.gather(*self._subscriptions.values(), return_exceptions=True)

    @override
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        command = Command()
        try:
            command = read_command(text_data)
            await self._obey(command, values_of(command))
        except Exception as error:  # the socket has other subscriptions, which go on
            await self._refuse(command, error)

    async def _obey(self, command: Command, values: dict[str, Any]) -> None:
        if command.op == "ping":
            await self._acknowledge(command, {})
        elif command.op == "subscribe":
            self._subscribe(command, **values)
        elif command.op == "unsubscribe":
            await self._unsubscribe(command, values["request_id"])
        else:
            await self._acknowledge(command, await in_thread(operate, self.scope, command.op, values))

    def _subscribe(self, command: Command, request_id: uuid.UUID, after_seq: int) -> None:
        if request_id in self._subscriptions:
            raise AlreadySubscribed("This connection follows the request already.")
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            details = {"limit": MAX_SUBSCRIPTIONS}
            raise TooManySubscriptions("Unsubscribe first, or open another connection.", details=details)
        self._subscriptions[request_id] = asyncio.ensure_future(self._follow(command, request_id, after_seq))

    async def _unsubscribe(self, command: Command, request_id: uuid.UUID) -> None:
        task = self._subscriptions.pop(request_id, None)
        if task is None:
            raise NotSubscribed("This connection does not follow that request.")
        task.cancel()
        # Commands come one by one, so a new subscription cannot begin before the old one has ended.
        await asyncio.wait([task])
        await self._acknowledge(command, {"request_id": str(request_id)})

    async def _follow(self, command: Command, request_id: uuid.UUID, cursor: int) -> None:
        """One subscription, from its acknowledgement to its end."""
        failure: Exception | None = None
        try:
            listening = Listening()
            with hub.watch(request_id=request_id, listening=listening) as watch:
                opening = await in_thread(self._open, request_id, cursor)
                await self._acknowledge(command, _standing(opening))
                if not opening.has_nothing_left:
                    await self._deliver(request_frames(opening, watch, listening))
        except Exception as error:  # ends this subscription and no other
            failure = error
        finally:
            # First of all, so that a client may subscribe again as soon as it has heard of the end.
            self._subscriptions.pop(request_id, None)
        subject = {"request_id": str(request_id)}
        if failure:
            await self._refuse(command, failure, subject)
        else:
            await self._send(json.dumps({"event": "stream.end", "data": subject}, separators=(",", ":")))

    def _open(self, request_id: uuid.UUID, cursor: int) -> RequestOpening:
        return open_request(present_caller(self.scope), request_id, cursor=cursor, knows_cancelled=True)

    async def _deliver(self, chunks: AsyncGenerator[bytes, None]) -> None:
        name = ""
        async with aclosing(chunks):
            async for chunk in chunks:
                for name, data, number in read_frames(chunk):
                    identity = f',"id":{number}' if number else ""
                    await self._send(f'{{"event":"{name}","data":{data}{identity}}}')
        if name not in _TERMINAL_NAMES:
            raise AccessEnded("The token or membership behind this connection has ended.")

    async def _acknowledge(self, command: Command, data: dict[str, Any]) -> None:
        await self._send(acknowledgement(command, data))

    async def _refuse(self, command: Command, error: Exception, subject: Mapping[str, Any] = _NOTHING) -> None:
        """Tells what went wrong; who has lost access is shown out."""
        await self._send(refusal(command, _envelope(error, subject)))
        if isinstance(error, AccessEnded):
            await self.close(code=close_code(error))

    async def _send(self, message: str) -> None:
        async with self._sending:
            await self.send(text_data=message)


def _envelope(error: Exception, subject: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(error, DATABASE_ERRORS):
        error = NotReady("The database cannot be reached right now; try again.")
    if isinstance(error, MashError):
        return error_body(error.code, error.message, {**error.details, **subject})
    logger.error("Unexpected error in a WebSocket", exc_info=error, extra={"action": "websocket.error"})
    return error_body("INTERNAL_ERROR", "Something went wrong on our side.", dict(subject))


def close_code(error: MashError) -> int:
    """The error's HTTP status in the range that is free for applications; before the handshake, it becomes the status."""
    return 4000 + error.status


def _standing(opening: RequestOpening) -> dict[str, Any]:
    agent_request = opening.agent_request
    return {
        "request_id": str(agent_request.request_id),
        "agent_id": agent_request.agent.agent_id,
        "session_id": agent_request.session_id,
        "status": agent_request.status,
        "request_seq": agent_request.last_sequence,
    }


async def no_such_socket(scope: Any, receive: Any, send: Any) -> None:
    """For every other address."""
    await send({"type": "websocket.close", "code": 4404})
