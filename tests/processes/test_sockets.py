"""The WebSocket of a real server: live over its wire, and patient with a client that does not read."""

import json
import time
from typing import Any

import psutil
import pytest
from websockets.sync.client import ClientConnection, connect

from benchmarks.chaos.host import AGENT_ID
from benchmarks.chaos.stack import Stack

_SUBSCRIPTIONS = 90
_MOST_GROWTH = 15 * 2**20


@pytest.fixture
def socket(stack: Stack):
    headers = {"Authorization": f"Bearer {stack.token}"}
    # A small window, so that what is not read stays with the server.
    with connect(f"ws://127.0.0.1:{stack.port}/ws/v1/", additional_headers=headers, max_queue=1) as connection:
        yield connection


def ask(socket: ClientConnection, **frame: Any) -> dict[str, Any]:
    socket.send(json.dumps(frame))
    return receive(socket)


def receive(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(socket.recv(timeout=30))
    return message


def test_a_turn_over_the_wire(socket: ClientConnection) -> None:
    submitted = ask(
        socket, op="submit", agent_id=AGENT_ID, message="key=wire tools=1 tool=write_again", session_id="socket"
    )
    request_id = submitted["data"]["request_id"]
    ask(socket, op="subscribe", request_id=request_id)
    events = [receive(socket)]
    while events[-1]["event"] not in {"request.completed", "request.error"}:
        events.append(receive(socket))
    numbers = [event["id"] for event in events if event["id"] is not None]
    assert numbers == list(range(1, len(numbers) + 1))
    assert events[-1]["event"] == "request.completed"


def test_who_does_not_read_costs_no_memory_and_misses_nothing(stack: Stack, socket: ClientConnection) -> None:
    """A log of 400 kB, followed 90 times over by a client that sleeps: 36 MB, if the server sent what it has."""
    words = "x" * 200_000
    submitted = ask(socket, op="submit", agent_id=AGENT_ID, message=f"key=slow say=done {words}", session_id="slow")
    request_id = submitted["data"]["request_id"]
    stack.wait_for_all(60)
    head = stack.client.status(request_id)["request_seq"]
    web = psutil.Process(stack.web.pid)
    before = _memory(web)
    for _ in range(_SUBSCRIPTIONS):
        # Each subscription replaces the one before, which had begun to send.
        socket.send(json.dumps({"op": "subscribe", "request_id": request_id}))
        time.sleep(0.02)
    time.sleep(3)
    assert _memory(web) - before < _MOST_GROWTH
    others = stack.client.http.get("/healthz", timeout=2)
    assert others.status_code == 200, "Others are not disturbed."
    seen: list[int] = []
    while not seen or seen[-1] < head:
        message = receive(socket)
        if message["event"] == "subscribed":
            seen = []
        elif message["id"] is not None:
            seen.append(message["id"])
    assert seen == list(range(1, head + 1)), "The last subscription delivers everything."


def _memory(web: psutil.Process) -> int:
    return sum(process.memory_info().rss for process in [web, *web.children(recursive=True)])
