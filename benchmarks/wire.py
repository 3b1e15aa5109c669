"""A minimal HTTP/1.1 client on asyncio streams: the load shares two cores with what it measures, so it must be cheap."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Frame:
    """One server-sent event, with the Unix time at which the load generator read it."""

    received_at: float
    name: str
    cursor: int
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body)
        return data


class Client:
    """One keep-alive connection, one request at a time."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, path: str) -> dict[str, Any]:
        return await self._answer(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\n{self._head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        return await self._answer(head.encode() + content)

    async def stream(self, path: str) -> AsyncGenerator[Frame]:
        """Every frame until the server ends the stream; leave early only with `close`."""
        reader, headers = await self._send(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())
        if headers.get("transfer-encoding") != "chunked":
            raise RuntimeError(f"{path} is no stream: {headers}")
        pending = b""
        async for chunk in _chunks(reader):
            pending += chunk
            *whole, pending = pending.split(b"\n\n")
            now = time.time()
            for text in whole:
                if frame := _frame(text, now):
                    yield frame

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _answer(self, request: bytes) -> dict[str, Any]:
        reader, headers = await self._send(request)
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join([chunk async for chunk in _chunks(reader)])
        else:
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        answer: dict[str, Any] = json.loads(body)
        if headers["status"] != "200":
            raise RuntimeError(f"{headers['status']}: {answer}")
        return answer

    async def _send(self, request: bytes) -> tuple[asyncio.StreamReader, dict[str, str]]:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=_LIMIT)
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        return self._reader, {**headers, "status": status.split(" ")[1]}


async def _chunks(reader: asyncio.StreamReader) -> AsyncGenerator[bytes]:
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)


def _frame(text: bytes, received_at: float) -> Frame | None:
    """None for comments, `retry:` lines, and text deltas, which have no id."""
    fields = dict(line.split(b": ", 1) for line in text.split(b"\n") if b": " in line)
    if b"event" not in fields or b"id" not in fields:
        return None
    return Frame(received_at, fields[b"event"].decode(), int(fields[b"id"]), fields[b"data"])
