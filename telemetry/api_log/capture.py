"""Watches calls of the API pass by, at the very edge of the site: streams too, and what waits for an end (contract 8.3).

Nothing but noting happens here; the record is finished and written elsewhere (`telemetry.api_log.writer`).
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from runtime.sse import Receive, Scope, Send
from telemetry.api_log.writer import Record, writer
from workspaces.authenticate import NOTED, Principal

Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIX = "/api/v1/"
# Who looks at the log must not fill it, and probes say nothing.
EXCLUDED = ("/api/v1/health", "/api/v1/telemetry/api/")
MOST_OF_A_REQUEST = 8192
MOST_OF_A_RESPONSE = 2048


@dataclass(slots=True)
class _Body:
    """The first bytes of a body, and how many there were."""

    most: int
    kept: bytearray = field(default_factory=bytearray)
    size: int = 0

    def take(self, piece: bytes) -> None:
        self.size += len(piece)
        room = self.most - len(self.kept)
        if room > 0:
            self.kept += piece[:room]


class ApiLog:
    """ASGI: wraps the site's HTTP side."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if not path.startswith(PREFIX) or path.startswith(EXCLUDED):
            await self._application(scope, receive, send)
            return
        call = _Call(scope)
        try:
            await self._application({**scope, NOTED: call.noted}, call.receiving(receive), call.sending(send))
        except Exception as error:
            call.failure = type(error).__name__
            raise
        finally:
            call.finish()


class _Call:
    def __init__(self, scope: Scope) -> None:
        self.noted: dict[str, Any] = {}
        """Where `authenticate()` leaves who calls."""
        self.failure = ""
        self._scope = scope
        self._at = timezone.now()
        self._began = time.perf_counter()
        self._status = 500
        self._headers: list[tuple[bytes, bytes]] = []
        self._asked, self._answered = _Body(MOST_OF_A_REQUEST), _Body(MOST_OF_A_RESPONSE)

    def receiving(self, receive: Receive) -> Receive:
        async def received() -> MutableMapping[str, Any]:
            message = await receive()
            if message["type"] == "http.request":
                self._asked.take(message.get("body", b""))
            return message

        return received

    def sending(self, send: Send) -> Send:
        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self._status, self._headers = message["status"], list(message["headers"])
            else:
                self._answered.take(message.get("body", b""))
            await send(message)

        return sent

    def finish(self) -> None:
        """Hands the record over. Calls by nobody we know belong to no workspace, so no log may show them."""
        principal = self.noted.get("principal")
        if not isinstance(principal, Principal) or not principal.workspace.api_log_enabled:
            return
        keeps_bodies = principal.workspace.api_log_bodies
        writer.add(
            Record(
                workspace_pk=principal.workspace.pk,
                principal=principal.name,
                method=self._scope["method"],
                path=self._scope["path"],
                query=self._scope["query_string"],
                status=self._status,
                duration_s=time.perf_counter() - self._began,
                request_headers=list(self._scope["headers"]),
                response_headers=self._headers,
                request_body=bytes(self._asked.kept) if keeps_bodies else None,
                request_size=self._asked.size,
                response_body=bytes(self._answered.kept) if keeps_bodies else None,
                response_size=self._answered.size,
                client_host=(self._scope.get("client") or [""])[0],
                failure=self.failure,
                at=self._at,
            )
        )
