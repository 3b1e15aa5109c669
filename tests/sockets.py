"""A WebSocket client for tests: `websockets`, with frames as JSON."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.live_web import LiveWeb

_PATIENCE_S = 20.0


class Socket:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, op: str, **fields: Any) -> None:
        self.connection.send(json.dumps({"op": op, **fields}))

    def receive(self, within_s: float = _PATIENCE_S) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(within_s))
        return message

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """Sends a command and gives what comes next, where nothing else is under way."""
        self.send(op, **fields)
        return self.receive()

    def until_end(self) -> list[dict[str, Any]]:
        """Everything up to the end of a subscription."""
        frames = [self.receive()]
        while frames[-1]["event"] not in {"ended", "error"}:
            frames.append(self.receive())
        return frames


@contextmanager
def socket(live: LiveWeb, token: str = "", *, query: str = "", **options: Any) -> Iterator[Socket]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= options.pop("headers", {})
    with connect(f"{live.socket_url}{query}", additional_headers=headers, compression=None, **options) as connection:
        yield Socket(connection)
