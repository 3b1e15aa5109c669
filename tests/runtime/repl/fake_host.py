"""A deployment that plays recorded answers over real HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

KEY = "mash_secret"
REQUEST_ID = "5f0c0000-0000-4000-8000-000000000001"
RERUN_ID = "5f0c0000-0000-4000-8000-000000000002"
RETRY = b"retry: 5\n\n"
AGENTS = [
    {"agent_id": "primary", "role": "primary", "metadata": None},
    {"agent_id": "research", "role": "subagent", "metadata": {"display_name": "Research"}},
]


SIGNALS = {
    "definitions": {"unused_tools": {"name": "unused_tools", "description": "Tools that were offered in vain."}},
    "turns": [{"turn_id": "0d5e", "signals": {"unused_tools": ["bash"]}}],
}
WORKFLOW = {
    "workflow_id": "nightly",
    "tasks": [
        {"task_id": "fetch", "agent_id": "fetcher", "kind": "agent"},
        {"task_id": "sum", "agent_id": None, "kind": "code"},
    ],
}
RUN: dict[str, Any] = {
    "run_id": "mw:h:nightly:1",
    "workflow_id": "nightly",
    "dedup_key": None,
    "status": "failed",
    "created_at": 1.5,
    "started_at": 2.5,
    "finished_at": 3.5,
    "error": "the step broke",
    "trigger": "schedule",
    "output": None,
}
FOUND = {"turn_id": "0d5e", "session_id": "s-1", "similarity_score": 0.5, "preview": "the invoice"}
TRACE = {
    "status": "completed",
    "steps": [
        {
            "step": 1,
            "title": "Calling tools: bash",
            "assistant_text": "Let me look",
            "tool_calls": [{"name": "bash", "arguments": {"command": "ls"}, "preview": "$ ls"}],
            "token_usage": {"input": 900, "output": 30},
            "think_duration_ms": 1200,
            "act_duration_ms": 45,
        }
    ],
    "summary": {"total_steps": 1, "total_tools": 1, "total_tokens": 930, "total_duration_ms": 1245},
}


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Playback:
    """One connection to a stream: its bytes, then an ordinary end, a cut in the middle, or a wait and the rest."""

    content: bytes = b""
    status: int = 200
    is_cut: bool = False
    hold: threading.Event | None = None
    rest: bytes = b""


@dataclass
class FakeHost:
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    streams: list[Playback] = field(default_factory=list)
    turns: list[dict[str, Any]] = field(default_factory=list)
    streaming: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)
    """Somebody has answered a question; `refusals` answer in its stead as long as there are some."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    refusals: list[tuple[int, str]] = field(default_factory=list)
    inbox: list[dict[str, Any]] = field(default_factory=list)

    def of(self, method: str, ending: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.method == method and seen.path.split("?")[0].endswith(ending)]

    def answer(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        route = path.split("?")[0].removeprefix("/api/v1")
        if route == "/health":
            return 200, {"status": "ok", "deployment": {"primary_agent_id": "primary", "agents": AGENTS}}
        if route == "/agent":
            return 200, {"agents": AGENTS, "primary_agent_id": "primary"}
        if method == "POST":
            return self.posted(route)
        known: dict[str, dict[str, Any]] = {
            "interactions": {"interactions": self.inbox[:2], "next": "2" if len(self.inbox) > 2 else None},
            "requests": {"requests": [{"request_id": REQUEST_ID}], "next": None},
            "history": {"turns": self.turns},
            "sessions": {"sessions": [{"session_id": "s-1", "turn_count": 4, "session_total_tokens": 8123}]},
            REQUEST_ID: {
                "request_id": REQUEST_ID,
                "status": "running",
                "request_seq": 4,
                "session_id": "s-1",
                "trace_id": "t-1",
            },
            "workflows": {"workflows": [WORKFLOW]},
            "runs": {"runs": [RUN], "next": None},
            "mw%3Ah%3Anightly%3A1": RUN,
            "signals": SIGNALS,
            "search": {"results": [FOUND]},
            "reasoning-trace": TRACE,
        }
        if (ending := route.rsplit("/", 1)[-1]) in known:
            return 200, known[ending]
        if method == "DELETE":
            return 200, {"session_id": "s-1", "erased": {"turns": 4, "events": 1234}}
        if "/sessions/" in route:
            return 200, {"model": "gpt-5-mini", "max_steps": 30, "session_total_tokens": 8123}
        return 404, {"code": "AGENT_NOT_FOUND", "message": "There is no such agent.", "details": {}}

    def posted(self, route: str) -> tuple[int, dict[str, Any]]:
        if "/workflows/" in route:
            return 200, {**RUN, "status": "cancelled" if route.endswith("/cancel") else "queued"}
        row = {"request_id": REQUEST_ID, "session_id": "s-1", "status": "accepted", "request_seq": 1}
        match route.rsplit("/", 1)[-1]:
            case "cancel":
                self.cancelled.set()
                return 200, {**row, "status": "running", "is_terminal": False}
            case "rerun":
                return 200, {**row, "request_id": RERUN_ID}
            case "compact":
                return 200, {"summary_text": "They spoke of tea.", "turn_id": "0d5e"}
            case "fork":
                return 200, {"session_id": "s-fork", "forked_from": "s-1", "turn_count": 1}
            case "interaction" if self.refusals:
                status, code = self.refusals.pop(0)
                return status, {"code": code, "message": "Choose one or more of: tea, coffee."}
            case "interaction":
                self.answered.set()
                return 200, {"ok": True}
        return 200, row


def frame(sequence: int | None, name: str, data: dict[str, Any]) -> bytes:
    identifier = "" if sequence is None else f"id: {sequence}\n"
    return f"{identifier}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


@contextmanager
def serving(host: FakeHost) -> Iterator[FakeHost]:
    class Handler(_Handler):
        fake = host

    server = _Server(("127.0.0.1", 0), Handler)
    host.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Server(ThreadingHTTPServer):
    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    fake: FakeHost
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._note({})
        if self.path.endswith("/events"):
            self._play()
        else:
            self._answer()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._note(json.loads(self.rfile.read(length)) if length else {})
        self._answer()

    def do_DELETE(self) -> None:
        self._note({})
        self._answer()

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass

    def _note(self, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.fake.seen.append(Seen(self.command, self.path, headers, body))

    def _answer(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            self._json(401, {"error": {"code": "UNAUTHORIZED", "message": "The key is missing or wrong."}})
            return
        status, content = self.fake.answer(self.command, self.path)
        self._json(status, {"error": content} if status >= 400 else {"data": content})

    def _json(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _play(self) -> None:
        playback = self.fake.streams.pop(0)
        if playback.status >= 400:
            self._json(
                playback.status, {"error": {"code": "REQUEST_NOT_FOUND", "message": "There is no such request."}}
            )
            return
        self.send_response(playback.status)
        if playback.status == 204:
            self.end_headers()
            return
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._chunk(playback.content)
        self.fake.streaming.set()
        if playback.hold:
            playback.hold.wait(20)
        if playback.rest:
            self._chunk(playback.rest)
        if not playback.is_cut:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
