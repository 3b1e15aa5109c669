"""What the pages' streams stand on: htmx 4 and its SSE extension come back with `Last-Event-ID` after a lost connection."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

_PAGE = b"""<!doctype html><html lang="en"><head><title>stream</title>
<script src="/htmx.min.js"></script><script src="/hx-sse.min.js"></script></head><body>
<div id="rows"></div><div hx-sse:connect="/stream" hx-sse:close="end" hx-swap="none"></div></body></html>"""
_LAST = 9
_CUT_EVERY = 3


@dataclass
class Server:
    url: str
    asked: list[str | None] = field(default_factory=list)
    """`Last-Event-ID` of each connection."""


class _Handler(BaseHTTPRequestHandler):
    """Numbers from 1 to 9, three a connection: each rises from where the browser says that it stopped."""

    server: "_Listener"

    def do_GET(self) -> None:
        if self.path == "/stream":
            self._stream()
        elif self.path == "/":
            self._answer(_PAGE, "text/html")
        elif self.path == "/favicon.ico":
            self._answer(b"", "image/x-icon")
        else:
            content = (settings.BASE_DIR / "static/vendor" / self.path.removeprefix("/")).read_bytes()
            self._answer(content, "text/javascript")

    def _answer(self, content: bytes, media_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Security-Policy", "default-src 'self'")
        self.end_headers()
        self.wfile.write(content)

    def _stream(self) -> None:
        asked = self.headers.get("Last-Event-ID")
        self.server.told.asked.append(asked)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        first = int(asked or 0) + 1
        for number in range(first, min(first + _CUT_EVERY, _LAST + 1)):
            row = f'<hx-partial hx-target="#rows" hx-swap="beforeend"><p>{number}</p></hx-partial>'
            self.wfile.write(f"retry: 20\nid: {number}\ndata: {row}\n\n".encode())
        if first + _CUT_EVERY > _LAST:
            self.wfile.write(b"event: end\ndata: -\n\n")

    def log_message(self, *_: object) -> None:
        pass


class _Listener(ThreadingHTTPServer):
    told: Server


@pytest.fixture
def server() -> Iterator[Server]:
    with _Listener(("127.0.0.1", 0), _Handler) as listener:
        listener.told = Server(f"http://127.0.0.1:{listener.server_address[1]}")
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        yield listener.told
        listener.shutdown()
        thread.join()


def test_a_cut_stream_goes_on_where_it_stopped(server: Server, page: Page) -> None:
    page.goto(server.url)
    expect(page.locator("#rows p")).to_have_text([str(number) for number in range(1, _LAST + 1)])
    page.wait_for_timeout(200)
    assert server.asked == [None, "3", "6"], "Each time from the last number, and no more after the end."
