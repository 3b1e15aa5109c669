"""One socket: reads commands, follows requests, and never sends faster than the client reads."""

import asyncio
import json
import logging
import uuid
from contextlib import ExitStack
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from typing_extensions import override

from runtime.hub import hub
from runtime.listening import Listening
from runtime.readers import DATABASE_ERRORS, in_reader, in_writer
from runtime.socket.commands import COMMANDS, SubscribeBody, check_access, find_request, run_command
from runtime.socket.flow import Flow, flow_of, limit_messages
from runtime.socket.frames import error_text, event_texts, reply_text
from runtime.socket.handshake import principal_of_handshake
from runtime.sse import NotReady, Receive, Send
from runtime.sse import Scope as ASGIScope
from runtime.stream import RequestOpening, open_request, request_frames
from workspaces.api.envelope import InvalidBody
from workspaces.api.serializers import read
from workspaces.authenticate import Principal, Unauthorized
from workspaces.errors import MashError
from workspaces.roles import Scope

logger = logging.getLogger(__name__)

MAX_SUBSCRIPTIONS = 50
NOT_READING, TRY_AGAIN, ACCESS_ENDED = 1008, 1013, 4401
_MOST_UNREAD = 100


class TooManySubscriptions(MashError):
    code = "TOO_MANY_SUBSCRIPTIONS"
    status = 429


class MashConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """Frames in: `{"op", ...}` with an optional `ref`. Frames out: `{"event", "data", "id"}`."""

    principal: Principal
    flow: Flow

    @override
    async def connect(self) -> None:
        self._followers: dict[uuid.UUID, asyncio.Task[None]] = {}
        self._opened = ExitStack()
        self._unread = 0
        limit_messages(self.base_send, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        try:
            self.principal = await in_reader(principal_of_handshake, self.scope)
        except (MashError, *DATABASE_ERRORS) as error:
            logger.info("A socket was refused: %s", error, extra={"action": "socket.refused"})
            await self.close()
            return
        await self.accept()
        self.flow = self._opened.enter_context(flow_of(self.base_send))

    @override
    async def disconnect(self, code: int) -> None:
        for follower in self._followers.values():
            follower.cancel()
        self._opened.close()

    @override
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One command after another; who sends many and reads no answers is sent away."""
        self._unread = 0 if self.flow.is_ready() else self._unread + 1
        if self._unread > _MOST_UNREAD:
            await self._end(NOT_READING)
            return
        reference: str | None = None
        try:
            frame = _read_frame(text_data)
            reference = _reference(frame)
            await self._do(frame.pop("op", None), frame, reference)
        except Unauthorized as error:
            await self.send(text_data=error_text(error, reference))
            await self._end(ACCESS_ENDED)
        except DATABASE_ERRORS:
            away = NotReady("The database cannot be reached right now; try again.")
            await self.send(text_data=error_text(away, reference))
        except MashError as error:
            await self.send(text_data=error_text(error, reference))

    async def _do(self, operation: object, values: dict[str, Any], reference: str | None) -> None:
        match operation:
            case "ping":
                await self.send(text_data=reply_text("pong", {}, reference))
            case "subscribe":
                await self._subscribe(values, reference)
            case "unsubscribe":
                await self._unsubscribe(values, reference)
            case str() if operation in COMMANDS:
                event, data = await in_writer(run_command, operation, self.principal, values)
                await self.send(text_data=reply_text(event, data, reference))
            case _:
                known = ", ".join(["subscribe", "unsubscribe", *COMMANDS, "ping"])
                raise InvalidBody([{"type": "enum", "loc": ["frame", "op"], "msg": f"One of {known}."}])

    async def _subscribe(self, values: dict[str, Any], reference: str | None) -> None:
        body = read(SubscribeBody, values, place="frame")
        request_id = body["request_id"]
        if len(self._followers) >= MAX_SUBSCRIPTIONS and request_id not in self._followers:
            raise TooManySubscriptions(f"One socket follows {MAX_SUBSCRIPTIONS} requests at most.")
        opening = await in_reader(_open, self.principal, request_id, body.get("after_seq", 0))
        self._drop(request_id)
        await self.send(text_data=reply_text("subscribed", {"request_id": str(request_id)}, reference))
        self._followers[request_id] = asyncio.ensure_future(self._follow(opening))

    async def _unsubscribe(self, values: dict[str, Any], reference: str | None) -> None:
        body = read(SubscribeBody, values, place="frame")
        self._drop(body["request_id"])
        await self.send(text_data=reply_text("unsubscribed", {"request_id": str(body["request_id"])}, reference))

    def _drop(self, request_id: uuid.UUID) -> None:
        if follower := self._followers.pop(request_id, None):
            follower.cancel()

    async def _follow(self, opening: RequestOpening) -> None:
        """Sends the request's events to its end. What a slow client has missed meanwhile is read from the log."""
        agent_request, listening = opening.agent_request, Listening()
        has_all = agent_request.is_terminal and opening.cursor == agent_request.last_sequence
        try:
            with hub.watch(request_id=agent_request.request_id, listening=listening) as watch:
                if not has_all:
                    async for frames in request_frames(opening, watch, listening):
                        for text in event_texts(frames):
                            await self.flow.ready()
                            await self.send(text_data=text)
            await in_reader(check_access, self.principal)
        except Unauthorized as error:
            await self.send(text_data=error_text(error, None))
            await self._end(ACCESS_ENDED)
        except (MashError, *DATABASE_ERRORS) as error:
            # The client comes back with its cursor.
            logger.warning("A socket broke off: %s", error, extra={"action": "socket.broken"})
            await self._end(TRY_AGAIN)
        finally:
            if self._followers.get(agent_request.request_id) is asyncio.current_task():
                del self._followers[agent_request.request_id]

    async def _end(self, code: int) -> None:
        self._opened.close()
        await self.close(code=code)


async def refuse_socket(scope: ASGIScope, receive: Receive, send: Send) -> None:
    """There is one socket, and this is not its path."""
    await receive()
    await send({"type": "websocket.close"})


def _read_frame(text: str | None) -> dict[str, Any]:
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError):
        frame = None
    if not isinstance(frame, dict):
        raise InvalidBody([{"type": "json_invalid", "loc": ["frame"], "msg": "A frame is a JSON object as text."}])
    return frame


def _reference(frame: dict[str, Any]) -> str | None:
    reference = frame.pop("ref", None)
    if reference is not None and not (isinstance(reference, str) and len(reference) <= 100):
        raise InvalidBody([{"type": "string_type", "loc": ["frame", "ref"], "msg": "Text of up to 100 characters."}])
    return reference


def _open(principal: Principal, request_id: uuid.UUID, cursor: int) -> RequestOpening:
    check_access(principal)
    principal.require(Scope.SESSIONS_READ)
    return open_request(principal, find_request(principal, request_id), cursor, knows_cancelled=True)
