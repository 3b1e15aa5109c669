"""Streams: framing, cursors, cuts, and news while they are open (extensions 2; promise 5)."""

import asyncio
import json
import threading
from contextlib import ExitStack
from itertools import pairwise

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Agent
from runtime import events
from runtime.events import NewEvent
from runtime.horizon import newest_event_id
from runtime.kinds import EventKind
from runtime.models import AgentRequest
from tests.conftest import Driver
from tests.factories import AgentRequestFactory
from tests.web import Frame, Web, wait_until
from workspaces.models import Workspace


@pytest.fixture
def ended(workspace: Workspace, agent: Agent, run_requests: Driver) -> AgentRequest:
    AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", message="tools=1 tool=echo say=héllo")
    return run_requests()[0]


def path_of(agent_request: AgentRequest) -> str:
    return f"/api/v1/agent/{agent_request.agent.agent_id}/request/{agent_request.request_id}/events"


def test_the_wire_is_plain_server_sent_events(web: Web, ended: AgentRequest) -> None:
    answer = web.get(path_of(ended))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    expected = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no", "content-encoding": "identity"}
    assert expected.items() <= answer.headers.items()
    opening, *frames, rest = answer.body.decode().split("\n\n")
    assert (opening, rest) == ("retry: 2000", "")
    for number, frame in enumerate(frames, start=1):
        identity, event, data = frame.split("\n")
        assert identity == f"id: {number}"
        assert event.startswith("event: ")
        assert data.isascii()
        assert isinstance(json.loads(data.removeprefix("data: ")), dict)


def test_public_events_have_the_contracts_names_and_keys(web: Web, ended: AgentRequest) -> None:
    frames = web.get(path_of(ended)).frames()
    assert [frame.event for frame in frames if frame.event != "agent.trace"] == [
        "request.accepted",
        "request.started",
        "request.completed",
    ]
    common = {"request_id", "agent_id", "session_id", "status"}
    assert set(frames[0].data) == set(frames[1].data) == common
    trace = next(frame.data for frame in frames if frame.event == "agent.trace")
    contract = {"event_type", "trace_id", "session_id", "loop_index", "step_key", "created_at", "payload"}
    assert set(trace) == contract | {"request_id", "request_seq", "event_id"}
    last = frames[-1].data
    assert last["turn_id"] == last["trace_id"] == str(ended.trace_id)
    assert last["response"]["text"] == "héllo"
    assert last["response"]["metadata"] == last["response_metadata"]


@pytest.fixture
def whole(web: Web, ended: AgentRequest) -> list[Frame]:
    return web.get(path_of(ended)).frames()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(min_value=0, max_value=30), max_size=2), st.booleans())
def test_a_stream_cut_anywhere_goes_on_without_loss_or_repetition(
    web: Web, ended: AgentRequest, whole: list[Frame], cuts: list[int], by_header: bool
) -> None:
    path = path_of(ended)
    got: list[Frame] = []
    for length in cuts:
        if len(got) < len(whole):
            got += web.first_frames(f"{path}?after_seq={len(got)}", length)
    if len(got) < len(whole):
        resume = {"Last-Event-ID": str(len(got))} if by_header else {}
        got += web.get(path if by_header else f"{path}?after_seq={len(got)}", headers=resume).frames()
    assert got == whole


def test_the_header_wins_over_the_query(web: Web, ended: AgentRequest) -> None:
    frames = web.get(f"{path_of(ended)}?after_seq=1", headers={"Last-Event-ID": "5"}).frames()
    assert frames[0].id == 6


def test_a_cursor_at_the_end_of_an_ended_request_has_nothing_to_wait_for(web: Web, ended: AgentRequest) -> None:
    assert web.get(f"{path_of(ended)}?after_seq={ended.last_sequence}").status == 204


def test_a_cursor_beyond_the_head_is_refused(web: Web, ended: AgentRequest) -> None:
    answer = web.get(f"{path_of(ended)}?after_seq={ended.last_sequence + 1}")
    assert (answer.status, answer.json()["error"]["code"]) == (409, "CURSOR_AHEAD")
    assert answer.json()["error"]["details"] == {"head": ended.last_sequence}


@pytest.mark.parametrize("cursor", ["-1", "x", "1.5", "9" * 30, "%00", "²"])
def test_an_odd_cursor_is_refused(web: Web, ended: AgentRequest, cursor: str) -> None:
    answer = web.get(f"{path_of(ended)}?after_seq={cursor}")
    assert (answer.status, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")


def test_a_stream_is_opened_with_get(web: Web, ended: AgentRequest) -> None:
    answer = web.post(path_of(ended), {})
    assert (answer.status, answer.json()["error"]["code"], answer.headers["allow"]) == (
        405,
        "METHOD_NOT_ALLOWED",
        "GET",
    )


@pytest.mark.appendix_a("A3")
def test_a_stream_follows_a_request_from_its_acceptance_to_its_end(
    web: Web, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    agent_request = AgentRequestFactory.create(
        workspace=workspace, agent=agent, message="tools=1 tool=echo latency=0.1"
    )

    async def follow() -> list[Frame]:
        async with web.open("GET", path_of(agent_request)) as answer:
            await wait_until(answer, lambda: len(answer.frames()) == 1)
            worker = threading.Thread(target=run_requests)
            worker.start()
            await wait_until(answer, lambda: answer.has_ended)
            await asyncio.to_thread(worker.join)
        return answer.frames()

    frames = asyncio.run(follow())
    assert [frame.id for frame in frames] == list(range(1, len(frames) + 1))
    assert frames[-1].event == "request.completed"


def test_old_clients_see_a_cancel_as_an_error(web: Web, workspace: Workspace, agent: Agent) -> None:
    base = f"/api/v1/agent/{agent.agent_id}/request"
    first = web.post(base, {"message": "hi", "session_id": "s"}).json()["data"]["request_id"]
    web.post(base, {"message": "hi", "session_id": "s", "multitask": "interrupt"})
    old = web.get(f"{base}/{first}/events").frames()[-1]
    assert (old.event, old.data["status"], old.data["error_code"]) == ("request.error", "error", "cancelled")
    for path, headers in [("?events=2", {}), ("", {"Mash-Events": "2"})]:
        new = web.get(f"{base}/{first}/events{path}", headers=headers).frames()[-1]
        assert (new.event, new.data["status"], new.data["reason"]) == ("request.cancelled", "cancelled", "superseded")


def append_one(agent_request: AgentRequest) -> None:
    events.append(agent_request, [NewEvent(event_type=EventKind.CONTEXT_LOADED)])


def test_a_session_stream_orders_the_events_of_all_its_requests(web: Web, workspace: Workspace, agent: Agent) -> None:
    rows = [AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s") for _ in range(2)]
    for row in (rows[1], rows[0], rows[1]):
        append_one(row)
    path = f"/api/v1/agent/{agent.agent_id}/sessions/s/events"
    frames = web.first_frames(path, 5)
    assert [frame.data["request_id"] for frame in frames] == [str(rows[n].request_id) for n in (0, 1, 1, 0, 1)]
    ids = [frame.id or 0 for frame in frames]
    assert all(earlier < later for earlier, later in pairwise(ids))
    assert web.first_frames(path, 2, headers={"Last-Event-ID": str(ids[2])}) == frames[3:]


@pytest.mark.postgresql
def test_a_session_stream_waits_for_a_writer_that_commits_late(web: Web, workspace: Workspace, agent: Agent) -> None:
    """Two writers draw ids 1 and 2 and commit in the order 2, 1: a reader that hurries would miss 1 for ever."""
    rows = [AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s") for _ in range(2)]
    has_drawn, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with ExitStack() as cleanup:
            cleanup.callback(connection.close)
            with transaction.atomic():
                append_one(rows[0])
                has_drawn.set()
                may_commit.wait(10)

    async def follow() -> tuple[int, list[Frame]]:
        path = f"/api/v1/agent/{agent.agent_id}/sessions/s/events"
        async with web.open("GET", path) as answer:
            await wait_until(answer, lambda: len(answer.frames()) == 2)
            slow = threading.Thread(target=write_slowly)
            slow.start()
            await asyncio.to_thread(has_drawn.wait)
            await asyncio.to_thread(_append_elsewhere, rows[1])
            await asyncio.sleep(0.4)
            early = len(answer.frames())
            may_commit.set()
            await wait_until(answer, lambda: len(answer.frames()) == 4)
            await asyncio.to_thread(slow.join)
        return early, answer.frames()

    early, frames = asyncio.run(follow())
    assert early == 2
    assert [frame.data["request_id"] for frame in frames[2:]] == [str(row.request_id) for row in rows]


def _append_elsewhere(agent_request: AgentRequest) -> None:
    try:
        append_one(agent_request)
    finally:
        connection.close()


def test_the_newest_event_is_known_without_looking_for_it(db: None, workspace: Workspace, agent: Agent) -> None:
    rows = [AgentRequestFactory.create(workspace=workspace, agent=agent) for _ in range(2)]
    assert newest_event_id() == rows[-1].events.latest("id").pk
