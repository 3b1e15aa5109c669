"""One socket: reads commands, follows requests, and never sends faster than the client reads."""

import asyncio
import logging
import uuid
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from typing_extensions import override

from runtime.hub import hub
from runtime.listening import Listening
from runtime.readers import DATABASE_ERRORS, in_reader, in_writer
from runtime.socket.commands import COMMANDS, RequestBody, SubscribeBody, find_request, run_command
from runtime.socket.frames import error_text, event_texts, read_frame, reply_text, take_reference
from runtime.socket.handshake import AccessEnded, present_principal, principal_of_handshake
from runtime.sse import NotReady, Receive, Send
from runtime.sse import Scope as ASGIScope
from runtime.stream import RequestOpening, open_request, request_frames
from workspaces.api.envelope import InvalidBody
from workspaces.api.serializers import BodySerializer, read
from workspaces.errors import MashError
from workspaces.roles import Scope

logger = logging.getLogger(__name__)

MAX_SUBSCRIPTIONS = 50
_NOTHING: Mapping[str, Any] = {}


class InternalError(MashError):
    code = "INTERNAL_ERROR"


class TooManySubscriptions(MashError):
    code = "TOO_MANY_SUBSCRIPTIONS"
    status = 429


class MashConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """Frames in: `{"op", ...}` with an optional `ref`. Frames out: `{"event", "data", "id"}`.

    `send` returns when the client has taken what it was sent (`runtime.web_server`), so who reads slowly waits here.
    """

    @override
    async def connect(self) -> None:
        self._followers: dict[uuid.UUID, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()
        try:
            await in_reader(principal_of_handshake, self.scope)
        except MashError as error:
            await self._refuse(error)
        except DATABASE_ERRORS:
            await self._refuse(NotReady("The database cannot be reached right now; try again."))
        else:
            await self.accept()

    @override
    async def disconnect(self, code: int) -> None:
        for follower in self._followers.values():
            follower.cancel()
        await asyncio.gather(*self._followers.values(), return_exceptions=True)

    @override
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One command after another; whoever sends more meanwhile waits."""
        reference: str | None = None
        try:
            frame = read_frame(text_data)
            reference = take_reference(frame)
            await self._do(frame.pop("op", None), frame, reference)
        except Exception as error:  # the socket has other requests to follow
            await self._tell(error, reference)

    async def _do(self, operation: object, values: dict[str, Any], reference: str | None) -> None:
        match operation:
            case "ping":
                read(BodySerializer, values, place="frame")
                await self._say(reply_text("pong", {}, reference))
            case "subscribe":
                await self._subscribe(values, reference)
            case "unsubscribe":
                await self._unsubscribe(values, reference)
            case str() if operation in COMMANDS:
                event, data = await in_writer(run_command, operation, self.scope, values)
                await self._say(reply_text(event, data, reference))
            case _:
                known = ", ".join(["subscribe", "unsubscribe", *COMMANDS, "ping"])
                raise InvalidBody([{"type": "enum", "loc": ["frame", "op"], "msg": f"One of {known}."}])

    async def _subscribe(self, values: dict[str, Any], reference: str | None) -> None:
        body = read(SubscribeBody, values, place="frame")
        request_id = body["request_id"]
        if len(self._followers) >= MAX_SUBSCRIPTIONS and request_id not in self._followers:
            details = {"limit": MAX_SUBSCRIPTIONS}
            raise TooManySubscriptions(f"One socket follows {MAX_SUBSCRIPTIONS} requests at most.", details=details)
        opening = await in_reader(_open, self.scope, request_id, body.get("after_seq", 0))
        await self._drop(request_id)
        await self._say(reply_text("subscribed", {"request_id": str(request_id)}, reference))
        self._followers[request_id] = asyncio.ensure_future(self._follow(opening))

    async def _unsubscribe(self, values: dict[str, Any], reference: str | None) -> None:
        body = read(RequestBody, values, place="frame")
        await self._drop(body["request_id"])
        await self._say(reply_text("unsubscribed", {"request_id": str(body["request_id"])}, reference))

    async def _drop(self, request_id: uuid.UUID) -> None:
        """Nothing of the old subscription comes after this."""
        if follower := self._followers.pop(request_id, None):
            follower.cancel()
            await asyncio.wait([follower])

    async def _follow(self, opening: RequestOpening) -> None:
        """Sends the request's events to its end. What a slow client has missed meanwhile is read from the log."""
        agent_request, failure = opening.agent_request, None
        has_all = agent_request.is_terminal and opening.cursor == agent_request.last_sequence
        try:
            if not has_all:
                await self._deliver(opening)
            await in_reader(present_principal, self.scope)
        except Exception as error:  # ends this subscription, and no other
            failure = error
        # Before the client hears of it, so that it may subscribe again at once.
        if self._followers.get(agent_request.request_id) is asyncio.current_task():
            del self._followers[agent_request.request_id]
        subject = {"request_id": str(agent_request.request_id)}
        if failure is None:
            await self._say(reply_text("ended", subject, None))
        else:
            await self._tell(failure, None, subject)

    async def _deliver(self, opening: RequestOpening) -> None:
        request_id, listening = opening.agent_request.request_id, Listening()
        with hub.watch(request_id=request_id, listening=listening) as watch:
            async with aclosing(request_frames(opening, watch, listening)) as chunks:
                async for chunk in chunks:
                    for text in event_texts(chunk):
                        await self._say(text)

    async def _say(self, text: str) -> None:
        """One after another, so that no more than one waits in the server for a client that does not read."""
        async with self._sending:
            await self.send(text_data=text)

    async def _tell(self, error: Exception, reference: str | None, subject: Mapping[str, Any] = _NOTHING) -> None:
        """What went wrong, as over HTTP; who has lost access is shown out."""
        if isinstance(error, DATABASE_ERRORS):
            error = NotReady("The database cannot be reached right now; try again.")
        elif not isinstance(error, MashError):
            logger.error("Unexpected error in a socket", exc_info=error, extra={"action": "socket.error"})
            error = InternalError("Something went wrong on our side.")
        await self._say(error_text(error, reference, subject))
        if isinstance(error, AccessEnded):
            await self.close(code=close_code(error))

    async def _refuse(self, error: MashError) -> None:
        logger.info("A socket was refused: %s", error, extra={"action": "socket.refused"})
        await self.close(code=close_code(error))


def close_code(error: MashError) -> int:
    """The HTTP status in the range for applications; `runtime.web_server` refuses a handshake with that status."""
    return 4000 + error.status


async def refuse_socket(scope: ASGIScope, receive: Receive, send: Send) -> None:
    """There is one socket, and this is not its path."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})


def _open(scope: ASGIScope, request_id: uuid.UUID, cursor: int) -> RequestOpening:
    principal = present_principal(scope)
    principal.require(Scope.SESSIONS_READ)
    return open_request(principal, find_request(principal, request_id), cursor, knows_cancelled=True)
