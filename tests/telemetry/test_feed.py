"""One reader of a workspace's log for everybody who watches it: what becomes of them when it breaks."""

import asyncio

import pytest
from django.db import OperationalError

from agents.models import Agent
from runtime.hub import hub
from runtime.models import AgentRequest
from runtime.readers import in_reader
from telemetry.live.feed import Feed, Subscriber, feeds
from tests.factories import AgentRequestFactory
from tests.telemetry.test_event_stream import append_elsewhere
from workspaces.models import Workspace


@pytest.fixture
def row(transactional_db: None, workspace: Workspace, agent: Agent) -> AgentRequest:
    return AgentRequestFactory.create(workspace=workspace, agent=agent)


async def heard(subscriber: Subscriber, workspace: Workspace, has_heard: asyncio.Event) -> list[frozenset[int]]:
    found = []
    with hub.watch(workspace=workspace.pk) as watch:
        async for changes in subscriber.changes(watch):
            found += [changes.request_pks] if changes else []
            has_heard.set()
    return found


def test_who_watches_a_feed_that_breaks_is_sent_back_to_begin_anew(
    workspace: Workspace, row: AgentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.readers._PAUSE_S", 0.01)

    async def watch() -> tuple[list[frozenset[int]], int]:
        with feeds.of(workspace.pk) as feed:
            await feed.begin()
            with feed.subscribe() as subscriber:
                has_heard = asyncio.Event()
                listening = asyncio.ensure_future(heard(subscriber, workspace, has_heard))
                await in_reader(append_elsewhere, row)
                async with asyncio.timeout(20):
                    await has_heard.wait()
                    monkeypatch.setattr(Feed, "_read", _away)
                    await in_reader(append_elsewhere, row)
                    told = await listening
            monkeypatch.undo()
            await feed.begin()
            return told, feed.cursor

    told, begins_anew = asyncio.run(watch())
    assert told == [frozenset({row.pk})]
    assert begins_anew == row.events.order_by("-id").values_list("id", flat=True)[0]


def test_a_feed_that_cannot_begin_says_so(
    workspace: Workspace, row: AgentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> int:
        raise OperationalError("the database is away")

    monkeypatch.setattr("telemetry.live.feed.newest_settled", away)

    async def begin() -> None:
        with feeds.of(workspace.pk) as feed:
            await asyncio.wait_for(feed.begin(), 5)

    with pytest.raises(OperationalError):
        asyncio.run(begin())


def _away(feed: Feed, cursor: int) -> None:
    raise OperationalError("the database is away")
