"""A client that stops reading costs little, disturbs nobody, and misses nothing when it reads on."""

import threading
import time
from contextlib import ExitStack

import httpx
import pytest
from django.db import connection

from agents.models import Agent
from runtime import events
from runtime.events import NewEvent
from runtime.kinds import EventKind
from runtime.models import AgentRequest
from tests.factories import AgentRequestFactory
from tests.live_web import LiveWeb
from tests.sockets import Socket, socket
from workspaces.models import Workspace

_EVENTS = 600
_EVENT_BYTES = 16_000
_SLOW_READERS = 8
_MEGABYTE = 1024 * 1024


@pytest.mark.tampers
def test_slow_readers_cost_little_and_miss_nothing(
    live: LiveWeb, token: str, workspace: Workspace, agent: Agent
) -> None:
    """10 MB of log for each of 8 clients that do not read: without flow control, over 100 MB would wait in the server."""
    row = AgentRequestFactory.create(workspace=workspace, agent=agent)
    with ExitStack() as cleanup:
        slow = [
            cleanup.enter_context(socket(live, token, max_queue=1, ping_interval=None)) for _ in range(_SLOW_READERS)
        ]
        quick = cleanup.enter_context(socket(live, token))
        for connection in (*slow, quick):
            connection.send("subscribe", request_id=str(row.request_id), after_seq=1)
        assert quick.receive()["event"] == "subscribed"
        before = live.memory()
        writer = threading.Thread(target=write_much, args=(row,))
        writer.start()
        assert ids_of(quick) == list(range(2, _EVENTS + 2)), "Others are not disturbed."
        writer.join()
        assert quick.ask("ping")["event"] == "pong"
        grown = (live.memory() - before) / _MEGABYTE
        assert grown < 60, f"{grown:.0f} MB for {_SLOW_READERS} clients that do not read"
        for connection in slow:
            assert connection.receive()["event"] == "subscribed"
            assert ids_of(connection) == list(range(2, _EVENTS + 2))


def write_much(row: AgentRequest) -> None:
    payload = {"text": "x" * _EVENT_BYTES}
    try:
        for _ in range(_EVENTS // 10):
            events.append(row, [NewEvent(event_type=EventKind.CONTEXT_LOADED, payload=payload) for _ in range(10)])
    finally:
        connection.close()


def ids_of(connection: Socket) -> list[int]:
    return [connection.receive()["id"] for _ in range(_EVENTS)]


@pytest.mark.tampers
def test_streams_wait_for_their_readers_too(live: LiveWeb, token: str, workspace: Workspace, agent: Agent) -> None:
    row = AgentRequestFactory.create(workspace=workspace, agent=agent)
    path = f"/api/v1/agent/{agent.agent_id}/request/{row.request_id}/events?after_seq=1"
    write_much(row)
    events.append(row, [NewEvent(event_type=EventKind.REQUEST_COMPLETED, payload={})])
    with ExitStack() as cleanup:
        client = cleanup.enter_context(httpx.Client(base_url=live.url, headers={"Authorization": f"Bearer {token}"}))
        client.get("/api/v1/agent").raise_for_status()
        before = live.memory()
        slow = [cleanup.enter_context(client.stream("GET", path, timeout=30)) for _ in range(_SLOW_READERS)]
        time.sleep(2)
        grown = (live.memory() - before) / _MEGABYTE
        assert grown < 60, f"{grown:.0f} MB for {_SLOW_READERS} clients that do not read"
        for answer in slow:
            ids = [int(line.removeprefix("id: ")) for line in answer.iter_lines() if line.startswith("id: ")]
            assert ids == list(range(2, _EVENTS + 3))
