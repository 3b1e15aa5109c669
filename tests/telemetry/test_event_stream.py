"""The workspace's stream: what is new, once, in order, whoever commits first (contract 2.3.3, extensions 2)."""

import asyncio
import json
import threading
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connection, transaction

from agents.models import Agent
from runtime import events, follow, hub
from runtime.events import NewEvent
from runtime.kinds import EventKind
from runtime.models import AgentRequest
from tests.factories import AgentFactory, AgentRequestFactory
from tests.web import Answer, Web, wait_until
from workspaces.models import Workspace

PATH = "/api/v1/telemetry/events/stream"


def append_one(agent_request: AgentRequest) -> None:
    agent_request.refresh_from_db()
    events.append(agent_request, [NewEvent(event_type=EventKind.CONTEXT_LOADED)])


def append_elsewhere(agent_request: AgentRequest) -> None:
    try:
        append_one(agent_request)
    finally:
        connection.close()


def frames(answer: Answer) -> list[dict[str, Any]]:
    """The data of every frame, each of which has an id and no name."""
    found = []
    for text in answer.body.decode().split("\n\n")[:-1]:
        if text.startswith((":", "retry:")):
            continue
        identity, data = text.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert identity == f"id: {event['event_id']}"
        found.append(event)
    return found


async def first(web: Web, path: str, count: int, *acts: Any, headers: dict[str, str] | None = None) -> list[Any]:
    """So many frames; `acts` are done once the stream is open."""
    async with web.open("GET", path, headers=headers) as answer:
        await wait_until(answer, lambda: bool(answer.status) and b"retry" in answer.body)
        for act in acts:
            await asyncio.to_thread(act)
        await wait_until(answer, lambda: len(frames(answer)) >= count)
        return frames(answer)


@pytest.fixture
def row(workspace: Workspace, agent: Agent) -> AgentRequest:
    return AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s")


def test_it_begins_with_what_is_new_and_goes_on_from_a_cursor(web: Web, row: AgentRequest) -> None:
    append_one(row)
    old = list(row.events.order_by("id").values_list("id", flat=True))
    [new] = asyncio.run(first(web, PATH, 1, lambda: append_elsewhere(row)))
    assert new["event_id"] not in old
    assert (new["request_id"], new["request_seq"]) == (str(row.request_id), 3)
    resumed = asyncio.run(first(web, PATH, 2, headers={"Last-Event-ID": str(old[0])}))
    assert [event["event_id"] for event in resumed] == [old[1], new["event_id"]]
    assert asyncio.run(first(web, f"{PATH}?after_event_id={old[1]}", 1)) == [new]


def test_it_shows_only_what_was_asked_for(web: Web, workspace: Workspace, row: AgentRequest) -> None:
    others = [
        AgentRequestFactory.create(agent=AgentFactory.create(), session_id="s"),
        AgentRequestFactory.create(agent=AgentFactory.create(workspace=workspace), workspace=workspace, session_id="s"),
        AgentRequestFactory.create(agent=row.agent, workspace=workspace, session_id="t"),
    ]
    others[0] = AgentRequestFactory.create(agent=others[0].agent, workspace=others[0].agent.workspace, session_id="s")
    acts = [lambda request=request: append_elsewhere(request) for request in (*others, row)]
    query = f"?agent_id={row.agent.agent_id}&session_id=s"
    [event] = asyncio.run(first(web, PATH + query, 1, *acts))
    assert event["request_id"] == str(row.request_id)
    whole = asyncio.run(first(web, PATH, 3, *acts))
    assert {event["request_id"] for event in whole} == {str(request.request_id) for request in (*others[1:], row)}


def test_it_hears_of_events_whose_news_were_lost(web: Web, row: AgentRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.news.publish", lambda news: None)
    [event] = asyncio.run(first(web, PATH, 1, lambda: append_elsewhere(row)))
    assert event["request_id"] == str(row.request_id)


def test_it_is_kept_alive(web: Web, row: AgentRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "KEEP_ALIVE_S", 0.1)

    async def listen() -> None:
        async with web.open("GET", PATH) as answer:
            await wait_until(answer, lambda: answer.body.count(b": keep-alive") >= 2)

    asyncio.run(listen())


def test_it_ends_with_its_token(
    web: Web, workspace: Workspace, row: AgentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_CHECK_EVERY_S", 0.1)
    monkeypatch.setattr(hub, "_CHECK_ACCESS_EVERY_S", 0.1)

    def revoke() -> None:
        workspace.tokens.update(revoked_at="2026-01-01T00:00:00Z")
        connection.close()

    async def listen() -> None:
        async with web.open("GET", PATH) as answer:
            await wait_until(answer, lambda: b"retry" in answer.body)
            await asyncio.to_thread(revoke)
            await wait_until(answer, lambda: answer.has_ended)

    asyncio.run(listen())


@pytest.mark.postgresql
def test_it_waits_for_a_writer_that_commits_late(web: Web, workspace: Workspace, agent: Agent) -> None:
    """Two writers draw ids 1 and 2 and commit in the order 2, 1: a reader that hurries would miss 1 for ever."""
    rows = [AgentRequestFactory.create(workspace=workspace, agent=agent, session_id=name) for name in "ab"]
    has_drawn, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with ExitStack() as cleanup:
            cleanup.callback(connection.close)
            with transaction.atomic():
                append_one(rows[0])
                has_drawn.set()
                may_commit.wait(10)

    async def follow_both() -> tuple[int, list[dict[str, Any]]]:
        async with web.open("GET", PATH) as answer:
            await wait_until(answer, lambda: b"retry" in answer.body)
            slow = threading.Thread(target=write_slowly)
            slow.start()
            await asyncio.to_thread(has_drawn.wait)
            await asyncio.to_thread(append_elsewhere, rows[1])
            await asyncio.sleep(0.4)
            early = len(frames(answer))
            may_commit.set()
            await wait_until(answer, lambda: len(frames(answer)) == 2)
            await asyncio.to_thread(slow.join)
        return early, frames(answer)

    early, found = asyncio.run(follow_both())
    assert early == 0
    assert [event["request_id"] for event in found] == [str(row.request_id) for row in rows]


@pytest.mark.postgresql
def test_it_begins_only_when_what_came_before_has_settled(web: Web, workspace: Workspace, agent: Agent) -> None:
    """A writer that drew its id before the stream was opened and commits after it: its event is new to the reader."""
    rows = [AgentRequestFactory.create(workspace=workspace, agent=agent, session_id=name) for name in "ab"]
    has_drawn, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with ExitStack() as cleanup:
            cleanup.callback(connection.close)
            with transaction.atomic():
                append_one(rows[0])
                has_drawn.set()
                may_commit.wait(10)

    async def listen() -> list[dict[str, Any]]:
        slow = threading.Thread(target=write_slowly)
        slow.start()
        await asyncio.to_thread(has_drawn.wait)
        await asyncio.to_thread(append_elsewhere, rows[1])
        async with web.open("GET", PATH) as answer:
            await asyncio.sleep(0.3)
            assert answer.status == 0
            may_commit.set()
            await wait_until(answer, lambda: b"retry" in answer.body)
            await asyncio.to_thread(slow.join)
            await asyncio.to_thread(append_elsewhere, rows[1])
            await wait_until(answer, lambda: len(frames(answer)) >= 1)
        return frames(answer)

    found = asyncio.run(listen())
    assert [event["request_seq"] for event in found] == [3]


@pytest.mark.postgresql
def test_nothing_waits_for_transactions_that_write_no_events(web: Web, workspace: Workspace, row: AgentRequest) -> None:
    """Whatever else takes long in the same server, be it in another database, holds no stream up."""
    has_begun, may_end = threading.Event(), threading.Event()

    def change_something_else() -> None:
        with ExitStack() as cleanup:
            cleanup.callback(connection.close)
            with transaction.atomic():
                Workspace.objects.filter(pk=workspace.pk).update(name="Changed")
                has_begun.set()
                may_end.wait(30)

    other = threading.Thread(target=change_something_else)
    other.start()
    has_begun.wait()
    try:
        [event] = asyncio.run(first(web, PATH, 1, lambda: append_elsewhere(row)))
    finally:
        may_end.set()
        other.join()
    assert event["request_id"] == str(row.request_id)
