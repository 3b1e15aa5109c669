"""Daphne with flow control: `send` waits until the client has taken what it was sent before.

Daphne itself buffers without end for a client that does not read, and keeps whatever a client sends faster than it is
worked on, bodies of any size among it; Twisted below it parses forms on the event loop, before anybody is asked who sent
them. It also answers 403 to every refused WebSocket; here the close code says which status it is.
"""

import asyncio
from typing import Any

from daphne.server import Server  # isort: skip  first, as it chooses Twisted's reactor
from daphne.cli import CommandLineInterface
from daphne.http_protocol import WebRequest
from daphne.ws_protocol import ConnectionDeny, WebSocketProtocol
from django.conf import settings
from typing_extensions import override

from runtime.web import start_all

# Commands that wait for their turn; a client that sends more is not listened to meanwhile.
MAX_WAITING = 16
_REFUSALS = range(4400, 4600)
_TOO_LARGE_BODY = (
    b'{"error":{"code":"PAYLOAD_TOO_LARGE","message":"The body is larger than any that is taken here.","details":{}}}'
)
_TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_TOO_LARGE_BODY), _TOO_LARGE_BODY)
)


class Flow:
    """Whether a connection takes more: as Twisted's push producer, it is paused at 64 kB unsent, and resumed at none."""

    def __init__(self, transport: Any = None) -> None:
        self._transport = transport
        self._is_open = asyncio.Event()
        self._is_open.set()

    def pauseProducing(self) -> None:  # noqa: N802  Twisted's name
        self._is_open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._is_open.set()
        if self._transport and self._transport.disconnecting:
            # Twisted waits with the end of a connection for its producer to leave.
            self._transport.unregisterProducer()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is gone: nobody may wait for it."""
        self._is_open.set()

    async def wait(self) -> None:
        await self._is_open.wait()


class SocketProtocol(WebSocketProtocol):  # type: ignore[misc]  # Daphne has no types
    flow: Flow | None = None
    _is_deaf = False

    @override
    def onOpen(self) -> None:
        self.flow = Flow(self.transport)
        # The HTTP channel that the connection began with is still registered.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.flow, True)
        super().onOpen()

    @override
    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        super().onMessage(payload, isBinary)
        if self.application_queue.qsize() >= MAX_WAITING:
            self._is_deaf = True
            self.transport.pauseProducing()

    @override
    def handle_reply(self, message: dict[str, Any]) -> None:
        is_refusal = message["type"] == "websocket.close" and self.state == self.STATE_CONNECTING
        if is_refusal and message.get("code") in _REFUSALS:
            self.handshake_deferred.errback(ConnectionDeny(code=message["code"] - 4000, reason="Refused"))
            del self.handshake_deferred
            self.server.protocol_disconnected(self)
            return
        super().handle_reply(message)
        # Every command is answered, so there is always a reply that finds the queue short again.
        if self._is_deaf and self.application_queue.qsize() < MAX_WAITING // 2:
            self._is_deaf = False
            self.transport.resumeProducing()


class BoundedRequest(WebRequest):  # type: ignore[misc]
    """Takes no more of a body than the largest that any route takes; each route has a limit of its own besides."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, parsePOSTFormSubmission=False)
        self._received = 0

    @override
    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        if length is not None and length > _largest_body():
            self._refuse()

    @override
    def handleContentChunk(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > _largest_body():
            self._refuse()
        else:
            super().handleContentChunk(data)

    def _refuse(self) -> None:
        """At once: what the client goes on sending is not kept."""
        self._received = _largest_body() + 1
        if not self.channel.transport.disconnecting:
            self.channel.transport.write(_TOO_LARGE)
            self.channel.loseConnection()


class WebServer(Server):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, ready_callable=self._prepare, **kwargs)

    def _prepare(self) -> None:
        start_all()
        self._make_channel = self.http_factory.buildProtocol
        self.http_factory.buildProtocol = self._channel
        self.ws_factory.protocol = SocketProtocol
        # Too large a message is answered with 1009, not by silence.
        self.ws_factory.setProtocolOptions(failByDrop=False)

    def _channel(self, address: Any) -> Any:
        """Daphne's factory names its own class of requests in each channel that it makes."""
        channel = self._make_channel(address)
        channel.requestFactory = BoundedRequest
        return channel

    @override
    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        flow = self._flow(protocol, message)
        await super().handle_reply(protocol, message)
        if flow:
            await flow.wait()

    def _flow(self, protocol: Any, message: dict[str, Any]) -> Flow | None:
        """What to wait on after the message; an HTTP answer of one piece needs nothing."""
        if isinstance(protocol, WebSocketProtocol):
            socket_flow: Flow | None = getattr(protocol, "flow", None)
            return socket_flow
        connection = self.connections.get(protocol, {})
        if message["type"] != "http.response.body" or "disconnected" in connection:
            return None
        if message.get("more_body", False):
            return _registered(protocol, connection)
        if connection.pop("flow", None):
            protocol.unregisterProducer()
        return None


def _largest_body() -> int:
    return int(max(settings.MASH_BODY_LIMITS.values()))


class Program(CommandLineInterface):  # type: ignore[misc]
    server_class = WebServer


def _registered(request: Any, connection: dict[str, Any]) -> Flow:
    if "flow" not in connection:
        connection["flow"] = Flow()
        request.registerProducer(connection["flow"], True)
    flow: Flow = connection["flow"]
    return flow


if __name__ == "__main__":
    Program.entrypoint()
