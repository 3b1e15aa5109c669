"""A scripted model behind the wire formats of Anthropic and OpenAI, fast enough to load-test what calls it.

The last user text says what happens: `tools=3 say=hello latency=0.5 trickle=0.1 fail=429:2 key=abc`; see `model_script.py`.
"""

import argparse
import asyncio
import hashlib
import json
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from benchmarks import model_script, model_stream, model_wire
from benchmarks.model_script import Script
from benchmarks.model_wire import Call

MODEL_PATHS = frozenset({"/v1/messages", "/v1/responses", "/v1/chat/completions"})
# Fields that a server of the script does not know
UNKNOWN_FIELDS = frozenset({"stream_options", "response_format"})
SECRET_HEADERS = frozenset({"authorization", "x-api-key"})
RECORD_LIMIT = 10_000
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(slots=True)
class Recording:
    """What was asked, kept raw: it is parsed only if somebody looks."""

    requests: deque[tuple[str, bytes, bytes, float]]
    counts: Counter[str] = field(default_factory=Counter)
    """Calls by the script's `key`."""
    steps: Counter[str] = field(default_factory=Counter)
    """The same, of those that offered tools: a summary quotes others' scripts, and offers none."""
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    connections: set[asyncio.Transport] = field(default_factory=set)
    answered: int = 0

    def clear(self) -> None:
        self.requests.clear()
        self.counts.clear()
        self.steps.clear()
        self.failures.clear()

    def as_list(self) -> list[dict[str, Any]]:
        return [
            {"path": path, "headers": _shown_headers(head), "body": _shown_body(body), "at": at}
            for path, head, body, at in self.requests
        ]


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _shown_headers(head: bytes) -> dict[str, str]:
    return {
        name: hashlib.sha256(value.encode()).hexdigest()[:16] if name in SECRET_HEADERS else value
        for name, value in _headers(head).items()
    }


def _shown_body(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


class ModelProtocol(asyncio.Protocol):
    """Just enough HTTP/1.1 for the SDKs: keep-alive, one request at a time per connection, sized bodies."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.buffer = b""
        self.is_busy = False
        self.media_type = b""
        self.trickling: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.recording.connections.add(transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self.transport is not None:
            self.recording.connections.discard(self.transport)
        self.transport = None

    @override
    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.is_busy:
            self._take_request()

    def _take_request(self) -> None:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end]
        length = int(_headers(head).get("content-length", 0))
        if len(self.buffer) < end + 4 + length:
            return
        body = self.buffer[end + 4 : end + 4 + length]
        self.buffer = self.buffer[end + 4 + length :]
        self.is_busy = True
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        self._route(method, target, head, body)

    def _route(self, method: str, target: str, head: bytes, body: bytes) -> None:
        url = urlsplit(target)
        if method == "POST" and url.path in MODEL_PATHS:
            self.recording.requests.append((url.path, head, body, time.time()))
            self._call(url.path, body)
        elif url.path == "/requests" and method == "DELETE":
            self.recording.clear()
            self._send_json(200, {})
        elif url.path == "/requests":
            self._send_json(200, self.recording.as_list())
        elif url.path == "/count":
            key = parse_qs(url.query).get("key", [""])[0]
            self._send_json(200, {"key": key, "count": self.recording.counts[key]})
        else:
            self._send_json(404, {"error": {"message": f"No such path: {url.path}"}})

    def _call(self, path: str, body: bytes) -> None:
        try:
            call = model_wire.read_call(path, json.loads(body), len(body))
            script = model_script.read_script(call.text)
        except (ValueError, AttributeError, TypeError) as error:
            self._send_json(400, model_wire.error(path, 400, f"The request cannot be read: {error}"))
            return
        self.recording.counts[script.key] += 1
        self.recording.steps[script.key] += bool(call.offered)
        failure = model_script.due_failure(script, self.recording.failures)
        if script.latency:
            asyncio.get_running_loop().call_later(script.latency, self._answer, call, script, failure)
        else:
            self._answer(call, script, failure)

    def _answer(self, call: Call, script: Script, failure: str | None) -> None:
        if failure == "hang":
            return
        if failure == "malformed":
            self._send(200, b'{"id": "cut-off", "content": [')
        elif failure == "context":
            self._send_json(400, model_wire.context_error(call.path))
        elif failure is not None and failure.isdigit():
            body = model_wire.error(call.path, int(failure), f"Scripted failure {failure}.")
            self._send_json(int(failure), body, {"retry-after": script.retry_after} if script.retry_after else None)
        elif failure in UNKNOWN_FIELDS and failure in call.fields:
            words = f"Unrecognized request argument supplied: {failure}"
            self._send_json(400, model_wire.error(call.path, 400, words))
        elif failure == "close" and not call.stream:
            self._close()
        else:
            self._send_reply(call, script, failure)

    def _send_reply(self, call: Call, script: Script, failure: str | None) -> None:
        self.recording.answered += 1
        reply = model_script.next_reply(script, failure=failure, results=call.results, offered=call.offered)
        body = model_wire.answer(call, reply, self.recording.answered)
        is_stream = call.stream and failure != "unstreamed"
        if not (is_stream or script.trickle or failure == "stall"):
            self._send_json(200, body)
            return
        self.media_type = b"text/event-stream" if is_stream else b"application/json"
        frames = model_stream.frames(call.path, body) if is_stream else model_stream.slices(body)
        half = frames[: len(frames) // 2]
        spoiled = {
            # A stream that dies midway, or ends in good form too early.
            "close": half,
            "early_end": [*half, b""],
            "stall": half,
            "garbage": [*half, b"event: content_block_delta\ndata: {broken\n\n", b""],
            "midway": [*half, model_stream.error_frame(call.path), b""],
        }
        sent = spoiled.get(failure or "", [*frames, b""])
        if script.trickle:
            self.trickling = asyncio.ensure_future(self._trickle(sent, script.trickle))
            return
        self._send_stream(sent)
        if failure == "close":
            self._close()
        elif failure != "stall":
            self._next()

    async def _trickle(self, frames: list[bytes], pause_s: float) -> None:
        """One frame after the other, as a model speaks; ends when the client has gone."""
        for number, frame in enumerate(frames):
            if self.transport is None:
                return
            self._send_stream([frame], with_head=number == 0)
            if frame:
                await asyncio.sleep(pause_s)
        self._next()

    def _send_json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        reason = REASONS.get(status, "Scripted")
        head = f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\n{extra}content-length: {len(body)}\r\n\r\n"
        if self.transport is not None:
            self.transport.write(head.encode() + body)
        self._next()

    def _send_stream(self, frames: list[bytes], *, with_head: bool = True) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n" % self.media_type
        chunks = [b"%x\r\n%s\r\n" % (len(frame), frame) for frame in frames]
        if self.transport is not None:
            self.transport.write((head if with_head else b"") + b"".join(chunks))

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def _next(self) -> None:
        self.is_busy = False
        if self.buffer:
            self._take_request()


class ModelServer:
    """The scripted model on a thread of this process: `with ModelServer() as server: server.url`."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, record: int = RECORD_LIMIT) -> None:
        self.host = host
        self.port = port
        self.recording = Recording(requests=deque(maxlen=record))
        self._started = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve()), name="model-server", daemon=True)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def requests(self) -> list[dict[str, Any]]:
        return self.recording.as_list()

    async def serve(self, *, announce: bool = False) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await self._loop.create_server(
            lambda: ModelProtocol(self.recording), self.host, self.port, backlog=1024
        )
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        if announce:
            print(self.url, flush=True)
        try:
            await self._stop.wait()
        finally:
            server.close()
            for connection in list(self.recording.connections):
                connection.abort()
            # One turn of the loop, in which the connections really end.
            await asyncio.sleep(0)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(timeout=10):
            raise RuntimeError("The model server did not start.")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", type=int, default=RECORD_LIMIT, help="how many requests to remember")
    options = parser.parse_args()
    try:
        server = ModelServer(host=options.host, port=options.port, record=options.record)
        asyncio.run(server.serve(announce=True))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
