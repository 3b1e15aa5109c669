"""Calls the site as a server would: through the ASGI application, streams included.

What runs behind it uses other threads and so other database connections: the test must be transactional.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from mashsite.asgi import application

_PATIENCE_S = 20.0


@dataclass(slots=True)
class Answer:
    """A response that has begun; `body` grows while it is sent."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    has_ended: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def json(self) -> Any:
        return json.loads(self.body)

    def frames(self) -> list["Frame"]:
        """The complete frames that came so far, comments left out."""
        complete = self.body.decode().split("\n\n")[:-1]
        return [frame for frame in map(Frame.read, complete) if frame is not None]


@dataclass(frozen=True, slots=True)
class Frame:
    id: int | None
    event: str
    data: dict[str, Any]

    @classmethod
    def read(cls, text: str) -> "Frame | None":
        """One server-sent event; None for a comment or a bare `retry`."""
        fields = dict(line.split(": ", 1) for line in text.split("\n") if not line.startswith(":"))
        if "data" not in fields:
            return None
        number = fields.get("id")
        return cls(int(number) if number else None, fields["event"], json.loads(fields["data"]))


@dataclass(frozen=True, slots=True)
class Web:
    """A client with a token, or with none."""

    token: str = ""

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        return self.call("GET", path, headers=headers)

    def post(self, path: str, content: Any, *, headers: Mapping[str, str] | None = None) -> Answer:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.call("POST", path, body=body, headers={"Content-Type": "application/json", **(headers or {})})

    def call(self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """The whole answer; a stream is read until the server ends it."""

        async def run() -> Answer:
            async with self.open(method, path, body=body, headers=headers) as answer:
                await wait_until(answer, lambda: answer.has_ended)
            return answer

        return asyncio.run(run())

    def first_frames(self, path: str, count: int, *, headers: Mapping[str, str] | None = None) -> list[Frame]:
        """Reads so many frames of a stream, then leaves."""

        async def run() -> list[Frame]:
            async with self.open("GET", path, headers=headers) as answer:
                await wait_until(answer, lambda: answer.has_ended or len(answer.frames()) >= count)
            return answer.frames()[:count]

        return asyncio.run(run())

    @asynccontextmanager
    async def open(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Answer]:
        """Sends the request and gives the answer while it comes in; leaving the block disconnects."""
        answer, gone = Answer(), asyncio.Event()
        incoming = iter([{"type": "http.request", "body": body}])

        async def receive() -> dict[str, Any]:
            for message in incoming:
                return message
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            _take(answer, message)

        call = asyncio.ensure_future(application(self._scope(method, path, body, headers or {}), receive, send))
        call.add_done_callback(lambda _: answer.changed.set())
        try:
            yield answer
        finally:
            gone.set()
            await asyncio.wait_for(call, _PATIENCE_S)

    def _scope(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        raw_path, _, query = path.partition("?")
        credentials = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent = {"Host": "testserver", "Content-Length": str(len(body)), **credentials, **headers}
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(raw_path),
            "raw_path": raw_path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
            "client": ("127.0.0.1", 40000),
            "server": ("testserver", 80),
        }


async def wait_until(answer: Answer, condition: Callable[[], bool]) -> None:
    """Waits for what the server sends until the condition holds."""
    async with asyncio.timeout(_PATIENCE_S):
        while not condition():
            answer.changed.clear()
            await answer.changed.wait()


def _take(answer: Answer, message: Mapping[str, Any]) -> None:
    if message["type"] == "http.response.start":
        answer.status = message["status"]
        answer.headers = _decoded(message["headers"])
    else:
        answer.body += message.get("body", b"")
        answer.has_ended = not message.get("more_body", False)
    answer.changed.set()


def _decoded(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode().lower(): value.decode("latin-1") for name, value in headers}
