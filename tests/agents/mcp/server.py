"""A real MCP server on the SDK's own server side, that tests can change and break: over HTTP in a thread, or over pipes.

`python tests/agents/mcp/server.py` serves standard input and output.
"""

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import anyio
import mcp_types
import uvicorn
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve, Sample
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send


class Confirmation(BaseModel):
    name: str


CANCELLED = threading.Event()
"""Set when a call of `sleep` is cancelled."""


def make_server() -> MCPServer:
    server = MCPServer("tests")
    hints = mcp_types.ToolAnnotations
    server.add_tool(echo, annotations=hints(read_only_hint=True))
    server.add_tool(wipe, annotations=hints(destructive_hint=True))
    server.add_tool(picture, structured_output=False)
    for tool in (fail, sleep, huge, environment, die):
        server.add_tool(tool)
    return server


def echo(text: str) -> str:
    """Give the text back."""
    return text


def fail(text: str) -> str:
    """Fail."""
    raise ValueError(text)


def wipe() -> str:
    """Remove everything."""
    return "gone"


async def sleep(seconds: float) -> str:
    """Take some time."""
    try:
        await anyio.sleep(seconds)
    except BaseException:
        CANCELLED.set()
        raise
    return "rested"


def huge(size: int) -> str:
    """Answer with much text."""
    return "x" * size


def picture() -> mcp_types.ImageContent:
    """Answer with a picture."""
    return mcp_types.ImageContent(type="image", data="aGk=", mime_type="image/png")


def environment() -> str:
    """Tell the names of the environment's variables and the working directory."""
    return f"{' '.join(sorted(os.environ))} in {os.getcwd()}"


def die() -> str:
    """End the process in the middle of the call."""
    os._exit(3)


def add_questions(server: MCPServer) -> None:
    """Tools that ask, as the protocol's revision has it: in an answer, or in the middle of the call."""

    def ask_name() -> Elicit[Confirmation]:
        return Elicit("Who are you?", Confirmation)

    def ask_model(question: str) -> Sample:
        text = mcp_types.TextContent(type="text", text=question)
        return Sample([mcp_types.SamplingMessage(role="user", content=text)], max_tokens=100_000)

    @server.tool()
    async def who(answer: Annotated[ElicitationResult[Confirmation], Resolve(ask_name)]) -> str:
        """Ask the person for their name."""
        return answer.data.name if isinstance(answer, AcceptedElicitation) else answer.action

    @server.tool()
    async def think(question: str, answer: Annotated[mcp_types.CreateMessageResult, Resolve(ask_model)]) -> str:
        """Ask the client's model."""
        return f"{answer.model}: {answer.content.text}"


def add_growth(server: MCPServer) -> None:
    @server.tool()
    async def grow(ctx: Context) -> str:
        """Offer one tool more."""
        server.add_tool(lambda: "I am new", name="late", description="New.", structured_output=False)
        await ctx.notify_tools_changed()
        await ctx.session.send_tool_list_changed()
        return "grown"

    @server.tool()
    async def change(ctx: Context, description: str) -> str:
        """Describe echo in other words."""
        server.remove_tool("echo")
        server.add_tool(lambda text: text, name="echo", description=description, structured_output=False)
        await ctx.notify_tools_changed()
        await ctx.session.send_tool_list_changed()
        return "changed"


class HttpServer:
    """Serves an `MCPServer` on a port of the loopback; `stop` and `start` again as a restarted server would be."""

    def __init__(self, server: MCPServer | None = None, *, is_old: bool = False, **options: Any) -> None:
        self.server = server or make_server()
        self.options = options
        self.is_old = is_old
        """Whether it only knows the handshake of 2025, with sessions."""
        self.refuse_with = 0
        """HTTP status of all answers, if not 0."""
        self.redirect_to = ""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.methods: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self._uvicorn: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    def start(self) -> None:
        app = self.server.streamable_http_app(**self.options)
        config = uvicorn.Config(
            self._noting(app), host="127.0.0.1", port=self.port, log_level="critical", timeout_graceful_shutdown=0
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._uvicorn.run, daemon=True)
        self._thread.start()
        while not self._uvicorn.started:
            time.sleep(0.01)

    def stop(self) -> None:
        if self._uvicorn is not None:
            self._uvicorn.should_exit = self._uvicorn.force_exit = True
            self._thread.join(10)
            self._uvicorn = None

    def _noting(self, app: ASGIApp) -> ASGIApp:
        async def noted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self.methods[scope["method"]] += 1
                self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
                is_discovery = (b"mcp-method", b"server/discover") in scope["headers"]
                refusal = 307 if self.redirect_to else self.refuse_with
                if status := refusal or (404 if self.is_old and is_discovery else 0):
                    headers = [(b"location", self.redirect_to.encode())] if self.redirect_to else []
                    await send({"type": "http.response.start", "status": status, "headers": headers})
                    await send({"type": "http.response.body", "body": b""})
                    return
            await app(scope, receive, send)

        return noted


@contextmanager
def serving(server: MCPServer | None = None, *, is_old: bool = False, **options: Any) -> Iterator[HttpServer]:
    http = HttpServer(server, is_old=is_old, **options)
    http.start()
    try:
        yield http
    finally:
        http.stop()


if __name__ == "__main__":
    make_server().run("stdio")
