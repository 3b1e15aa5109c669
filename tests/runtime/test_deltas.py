"""Text that is shown while the model still speaks: live, whole, in order, and never kept (extensions 1; design.md 5)."""

import asyncio
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from agents.models import Agent
from agents.stop_signal import StopSignal
from runtime import lease, news
from runtime.claim import claim
from runtime.execute import execute_request
from runtime.hub import Watch
from runtime.kinds import EventKind
from runtime.listening import Listening
from runtime.models import AgentRequest, ResponseDraft
from runtime.news import Delta, News, publish_deltas, read_deltas
from telemetry.show.conversation import conversation_of
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from tests.web import Answer, Frame, Web, wait_until

Result = TypeVar("Result")

WORDS = " ".join(f"word{n}" for n in range(40))
# About four seconds
SLOWLY = f'trickle=0.1 say="{WORDS}"'


@pytest.fixture
def agent(make_agent: AgentMaker) -> Agent:
    return make_agent(model_timeout_s=20)


def send(agent: Agent, message: str) -> AgentRequest:
    return AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message=message)


def path_of(agent_request: AgentRequest) -> str:
    return f"/api/v1/agent/{agent_request.agent.agent_id}/request/{agent_request.request_id}/events"


def is_delta(frame: Frame) -> bool:
    return frame.data.get("event_type") == "llm.response.delta"


def deltas_of(answer: Answer) -> list[dict[str, Any]]:
    return [frame.data["payload"] for frame in answer.frames() if is_delta(frame)]


def said(deltas: list[dict[str, Any]]) -> str:
    """What a client shows that places every piece by its offset."""
    text = ""
    for number, delta in enumerate(deltas):
        if delta["index"] == 0:
            text, number_of_first = "", number
        assert delta["index"] == number - number_of_first
        assert delta["offset"] == len(text)
        text += delta["text"]
    return text


async def elsewhere(work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """Does it in a thread, whose database connection is given back."""

    def run() -> Result:
        try:
            return work(*args, **kwargs)
        finally:
            connection.close()

    return await asyncio.to_thread(run)


@asynccontextmanager
async def running(agent_request: AgentRequest, stop: StopSignal | None = None) -> AsyncIterator[None]:
    """The request on a thread, as a worker runs it."""
    claimed = await elsewhere(claim, agent_request.pk, lease.new_owner())
    assert claimed
    thread = threading.Thread(
        target=lambda: execute_request(claimed, should_stop=lambda: False, stop=stop or StopSignal())
    )
    thread.start()
    try:
        yield
    finally:
        await asyncio.to_thread(thread.join, 20)


def test_text_comes_while_the_model_speaks_and_not_afterwards(web: Web, agent: Agent) -> None:
    agent_request = send(agent, SLOWLY)

    async def follow() -> tuple[str, list[Frame]]:
        async with web.open("GET", path_of(agent_request)) as answer, running(agent_request):
            await wait_until(answer, lambda: bool(deltas_of(answer)))
            await elsewhere(agent_request.refresh_from_db)
            status_at_first = agent_request.status
            await wait_until(answer, lambda: answer.has_ended)
        return status_at_first, answer.frames()

    status_at_first, frames = asyncio.run(follow())
    assert status_at_first == "running"
    kinds = [frame.data.get("event_type") for frame in frames]
    asked, answered = kinds.index("llm.request.start"), kinds.index("llm.request.complete")
    places = [place for place, frame in enumerate(frames) if is_delta(frame)]
    assert places == list(range(asked + 1, answered))
    assert said([frames[place].data["payload"] for place in places]) == WORDS
    assert 10 < len(places) <= 60
    stored = frames[asked].data
    for place in places:
        assert (frames[place].id, frames[place].event) == (None, "agent.trace")
        assert set(frames[place].data) == set(stored)
        assert frames[place].data["trace_id"] == stored["trace_id"]
    ids = [frame.id for frame in frames if frame.id]
    assert ids == list(range(1, len(ids) + 1))
    assert not agent_request.events.filter(event_type="llm.response.delta").exists()


def test_of_a_quick_answer_no_text_is_told(web: Web, agent: Agent) -> None:
    agent_request = send(agent, "say=quick")

    async def follow() -> list[dict[str, Any]]:
        async with web.open("GET", path_of(agent_request)) as answer, running(agent_request):
            await wait_until(answer, lambda: answer.has_ended)
        return deltas_of(answer)

    assert asyncio.run(follow()) == []


def test_who_comes_late_gets_the_text_so_far_in_one_piece(web: Web, agent: Agent) -> None:
    """The model speaks until both who listen have heard enough of it, however long that takes."""
    words = " ".join(f"word{n}" for n in range(1000))
    agent_request = send(agent, f'trickle=0.05 say="{words}"')
    stop = StopSignal()

    async def follow() -> list[list[dict[str, Any]]]:
        async with running(agent_request, stop):
            async with web.open("GET", path_of(agent_request)) as early:
                await wait_until(early, lambda: len(said(deltas_of(early))) > 200)
                async with web.open("GET", path_of(agent_request)) as late:
                    await wait_until(late, lambda: bool(deltas_of(late)))
                    start = len(said(deltas_of(late)))
                    await wait_until(late, lambda: len(said(deltas_of(late))) > start + 50)
            rows = agent_request.workspace.agent_requests.filter(pk=agent_request.pk)
            await elsewhere(rows.update, cancel_reason="cancelled")
            stop.set("cancelled")
        return [deltas_of(early), deltas_of(late)]

    early, late = asyncio.run(follow())
    for deltas in (early, late):
        assert (deltas[0]["index"], deltas[0]["offset"]) == (0, 0)
        assert words.startswith(said(deltas))
    assert len(late[0]["text"]) > 50


def test_a_cut_stream_goes_on_with_all_of_the_text(web: Web, agent: Agent) -> None:
    agent_request = send(agent, SLOWLY)

    async def follow() -> list[dict[str, Any]]:
        async with running(agent_request):
            async with web.open("GET", path_of(agent_request)) as answer:
                await wait_until(answer, lambda: len(deltas_of(answer)) > 5)
            last = max(frame.id or 0 for frame in answer.frames())
            headers = {"Last-Event-ID": str(last)}
            async with web.open("GET", path_of(agent_request), headers=headers) as answer:
                await wait_until(answer, lambda: answer.has_ended)
            assert all((frame.id or last + 1) > last for frame in answer.frames())
        return deltas_of(answer)

    assert said(asyncio.run(follow())) == WORDS


def test_the_next_call_of_the_model_begins_its_text_anew(web: Web, agent: Agent) -> None:
    agent_request = send(agent, f"fail=early_end:1 {SLOWLY}")

    async def follow() -> list[dict[str, Any]]:
        async with web.open("GET", path_of(agent_request)) as answer, running(agent_request):
            await wait_until(answer, lambda: answer.has_ended)
        return deltas_of(answer)

    deltas = asyncio.run(follow())
    assert [delta["attempt"] for delta in deltas if delta["index"] == 0] == [1, 2]
    broken = said([delta for delta in deltas if delta["attempt"] == 1])
    assert WORDS.startswith(broken)
    assert 0 < len(broken) < len(WORDS)
    assert said(deltas) == WORDS


def wait_for_draft(agent_request: AgentRequest) -> ResponseDraft:
    drafts = agent_request.workspace.response_drafts
    for _ in range(400):
        if draft := drafts.filter(agent_request=agent_request).first():
            return draft
        time.sleep(0.05)
    raise AssertionError("There is no draft.")


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (SLOWLY, "completed"),
        (f"tools=1 tool=echo {SLOWLY}", "completed"),
        (f"fail=early_end {SLOWLY}", "failed"),
        (f"stopped {SLOWLY}", "cancelled"),
    ],
)
def test_no_draft_is_left_behind(make_agent: AgentMaker, transactional_db: None, message: str, status: str) -> None:
    agent_request = send(make_agent(model_timeout_s=20, model_attempts=1), message)
    stop = StopSignal()

    async def follow() -> ResponseDraft:
        async with running(agent_request, stop):
            draft = await elsewhere(wait_for_draft, agent_request)
            if status == "cancelled":
                rows = agent_request.workspace.agent_requests.filter(pk=agent_request.pk)
                await elsewhere(rows.update, cancel_reason="cancelled")
                stop.set("cancelled")
        return draft

    draft = asyncio.run(follow())
    assert WORDS.startswith(draft.text)
    agent_request.refresh_from_db()
    assert agent_request.status == status
    assert not agent_request.workspace.response_drafts.exists()
    if status != "completed":
        [failed] = agent_request.events.filter(event_type=EventKind.LLM_REQUEST_ERROR)
        said = failed.payload["partial_text"]
        assert said.startswith(draft.text)
        assert WORDS.startswith(said)
        answers = [part for part in conversation_of(agent_request).parts.values() if part.kind == "answer"]
        assert [(part.text, part.is_cut_off) for part in answers] == [(said, True)]


def test_what_a_lost_worker_has_drafted_goes_with_the_next_ones_answer(agent: Agent, run_requests: Driver) -> None:
    agent_request = send(agent, "say=hello")
    workspace = agent_request.workspace
    workspace.agent_requests.filter(pk=agent_request.pk).update(attempt=1)
    workspace.response_drafts.create(agent_request=agent_request, head=9, attempt=1, loop_index=0, text="hel")
    [ran] = run_requests()
    assert ran.status == "completed"
    assert not workspace.response_drafts.exists()


def delta(text: str, *, offset: int, head: int = 7, request_id: uuid.UUID | None = None) -> Delta:
    return Delta(
        request_id=request_id or uuid.UUID(int=1),
        trace_id=None,
        head=head,
        attempt=1,
        loop_index=0,
        offset=offset,
        text=text,
    )


def listener() -> tuple[Watch, Listening]:
    listening = Listening()
    watch = Watch(uuid.UUID(int=1), None, listening=listening)
    watch.advance(7, 7)
    return watch, listening


def drained(watch: Watch, listening: Listening) -> str:
    """The text that the stream can send now."""
    text = ""
    while told := watch._next_pushed():
        assert isinstance(told, Delta)
        part = listening.new_part(told)
        assert part is None or part.offset + len(part.text) == listening.length
        text += part.text if part else ""
    return text


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=9), st.sampled_from(["sent", "lost", "twice", "slow"])), min_size=1)
)
def test_lost_and_repeated_pieces_are_made_up_for(pieces: list[tuple[str, str]]) -> None:
    """Whatever becomes of the messages: what the client has is always a beginning of the text, and in the end all of it."""
    watch, listening = listener()
    spoken = shown = ""
    for text, fate in pieces:
        if fate != "lost":
            watch.hear(delta(text, offset=len(spoken)))
        if fate == "twice":
            watch.hear(delta(text, offset=len(spoken)))
        spoken += text
        shown += "" if fate == "slow" else drained(watch, listening)
        assert spoken.startswith(shown)
    part = listening.new_part(delta(spoken, offset=0))
    shown += part.text if part else ""
    assert shown + drained(watch, listening) == spoken


def test_pieces_for_a_slow_reader_become_one() -> None:
    watch, listening = listener()
    for n in range(1000):
        watch.hear(delta("abc", offset=3 * n))
    assert len(watch.pushed) == 1
    assert drained(watch, listening) == "abc" * 1000


def test_text_of_a_call_that_has_ended_is_dropped() -> None:
    watch, listening = listener()
    watch.hear(delta("late", offset=0))
    watch.pushed.append(
        News(request_id=uuid.UUID(int=1), session="s", first=7, head=9, boundary=9, frames=b"the answer")
    )
    watch.advance(9, 9)
    assert drained(watch, listening) == ""
    watch.hear(delta("later", offset=0))
    assert not watch.pushed


def test_text_waits_for_the_event_by_which_the_model_was_asked() -> None:
    watch, listening = listener()
    watch.hear(delta("soon", offset=0, head=12))
    assert drained(watch, listening) == ""
    assert watch.known_head == 12
    watch.advance(12, 12)
    assert drained(watch, listening) == "soon"


@pytest.mark.parametrize("text", ["plain", "é" * 9000, "\U0001f600" * 4500, 'line\nbreak ~ \\ "'])
def test_any_text_fits_the_messages(text: str, sent_messages: Callable[[], list[bytes]]) -> None:
    deltas = [delta(text, offset=5, request_id=uuid.UUID(int=n)) for n in range(2)]
    publish_deltas(deltas)
    read = [part for message in sent_messages() for part in read_deltas(message)]
    for sent in deltas:
        parts = [part for part in read if part.request_id == sent.request_id]
        assert "".join(part.text for part in parts) == text
        assert [part.offset for part in parts] == [5 + sum(len(p.text) for p in parts[:n]) for n in range(len(parts))]


@pytest.fixture
def sent_messages(settings: Any, tmp_path: Any) -> Any:
    """What arrives in this process's mailbox."""
    settings.MASH_DATA_DIR, settings.MASH_REDIS_URL = tmp_path, ""
    news.socket_directory.cache_clear()
    with news.open_mailbox("news") as mailbox:
        mailbox.setblocking(False)

        def read() -> list[bytes]:
            messages = []
            while True:
                try:
                    messages.append(mailbox.recv(news.MAX_MESSAGE_BYTES))
                except BlockingIOError:
                    return messages

        yield read
    news.socket_directory.cache_clear()
