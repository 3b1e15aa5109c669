"""Crashes, and who may write: a request that lost its worker ends as if nothing had happened (promises 1 to 3)."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.llm.types import LLMContentBlock, LLMMessage
from agents.loop import CallTools, CommitStep, Fail, Finish, LoopState, Think, after_commit, next_step
from agents.stop_signal import StopSignal
from benchmarks.model_server import ModelServer
from runtime import events, finish, lease
from runtime.claim import MAX_LOST_LEASES, claim
from runtime.errors import RequestCancelled, StaleAttempt
from runtime.events import NewEvent
from runtime.execute import execute_request
from runtime.kinds import EventKind, Reason
from runtime.models import AgentRequest
from runtime.rebuild import rebuild
from tests import tools
from tests.conftest import AgentMaker, Driver, EventLog
from tests.factories import AgentRequestFactory
from workspaces.models import Workspace

pytestmark = pytest.mark.tampers

SCRIPT = "tools=1 calls=2 tool={tool} say=done reason"
STEPS = {
    EventKind.THINK_COMPLETED,
    EventKind.TOOL_STARTED,
    EventKind.TOOL_COMPLETED,
    EventKind.STEP_COMPLETED,
}
# A write may have ended after any of these, and the worker died then.
BOUNDARIES = {*STEPS, EventKind.TRACE_STARTED, EventKind.AGENT_RUN_START, EventKind.LLM_REQUEST_START}


def log_of(agent_request: AgentRequest) -> list[tuple[str, str | None]]:
    """What a rerun must agree on: kinds and keys of all that may not happen twice, attempts left out."""
    return list(
        agent_request.events.exclude(dedupe_key=None).order_by("sequence").values_list("event_type", "dedupe_key")
    )


def cut(agent_request: AgentRequest, length: int) -> None:
    """Leaves the row as a worker leaves it that was killed after `length` events: running, its lease run out."""
    agent_request.events.filter(sequence__gt=length).delete()
    agent_request.workspace.turns.all().delete()
    agent_request.workspace.sessions.all().delete()
    # A second ago: SQLite's clock has milliseconds, and a lease that ends in this very one has not run out yet.
    expired = Now() - timedelta(seconds=1)
    agent_request.workspace.agent_requests.filter(pk=agent_request.pk).update(
        status="running", finished_at=None, reason="", error=None, last_sequence=length, lease_expires_at=expired
    )


@pytest.mark.parametrize("tool", ["echo_again", "echo"])
def test_a_request_cut_anywhere_ends_like_an_undisturbed_one(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver, model: ModelServer, tool: str
) -> None:
    """Each prefix of the log that a worker could leave behind; one `at_most_once` tool, one that may run again."""
    agent = make_agent()

    def run_anew() -> AgentRequest:
        AgentRequestFactory.create(workspace=workspace, agent=agent, message=SCRIPT.format(tool=tool))
        return run_requests()[0]

    kinds = list(run_anew().events.order_by("sequence").values_list("event_type", flat=True))
    lengths = [number for number, kind in enumerate(kinds, start=1) if kind in BOUNDARIES]
    assert len(lengths) == 12
    for length in lengths:
        agent_request = run_anew()
        undisturbed = log_of(agent_request)
        cut(agent_request, length)
        model.recording.clear()
        tools.calls.clear()
        [again] = run_requests()
        done = Counter(kinds[:length])
        assert again.status == "completed", again.error
        assert log_of(again) == undisturbed
        assert len(model.requests()) == 2 - done[EventKind.THINK_COMPLETED]
        given_up = done[EventKind.TOOL_STARTED] - done[EventKind.TOOL_COMPLETED] if tool == "echo" else 0
        assert len(tools.calls) == 2 - done[EventKind.TOOL_COMPLETED] - given_up
        assert again.events.filter(event_type=EventKind.TOOL_INTERRUPTED).count() == given_up
        numbers = list(again.events.order_by("sequence").values_list("sequence", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
        assert workspace.turns.get().turn_id == again.trace_id


def test_an_interrupted_tool_is_told_to_the_model_as_such(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver, model: ModelServer
) -> None:
    AgentRequestFactory.create(workspace=workspace, agent=make_agent(), message="tools=1 tool=echo say=done")
    [agent_request] = run_requests()
    started = agent_request.events.get(event_type=EventKind.TOOL_STARTED).sequence
    cut(agent_request, started)
    model.recording.clear()
    run_requests()
    [call] = model.requests()
    assert "outcome is unknown" in str(call["body"]["messages"][-1])


def state_of(state: LoopState) -> tuple[object, ...]:
    return (state.messages, state.loop_index, state.input_tokens, state.output_tokens, dict(state.invocations))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_folding_a_prefix_and_going_on_equals_folding_the_whole(finished_log, data: st.DataObject) -> None:
    """The log is folded in two pieces, cut at any place: by the same reports the loop comes to the same end."""
    initial, log = finished_log
    place = data.draw(st.integers(min_value=0, max_value=len(log)))
    halfway = rebuild(initial, log[:place], crash_policy=lambda _: "at_most_once")
    whole = rebuild(initial, log, crash_policy=lambda _: "at_most_once")
    rest = rebuild(halfway, log[place:], crash_policy=lambda _: "at_most_once")
    assert state_of(rest) == state_of(whole)
    expected = next((event.event_type for event in log[place:] if event.event_type in STEPS), None)
    step = next_step(halfway)
    says = {
        EventKind.THINK_COMPLETED: Think,
        EventKind.TOOL_STARTED: CallTools,
        EventKind.TOOL_COMPLETED: CallTools,
        EventKind.STEP_COMPLETED: CommitStep,
        None: Finish,
    }
    assert isinstance(step, says[expected]), (place, step, expected)
    assert not isinstance(step, Fail)
    begun = {event.payload["tool_call_id"] for event in log[:place] if event.event_type == EventKind.TOOL_STARTED}
    ended = {event.payload["tool_call_id"] for event in log[:place] if event.event_type == EventKind.TOOL_COMPLETED}
    assert halfway.interrupted == begun - ended
    if isinstance(step, CommitStep):
        assert after_commit(halfway).loop_index >= halfway.loop_index


@pytest.fixture
def finished_log(workspace: Workspace, make_agent: AgentMaker, run_requests: Driver):
    message = SCRIPT.format(tool="echo")
    AgentRequestFactory.create(workspace=workspace, agent=make_agent(), message=message)
    [agent_request] = run_requests()
    asked = LLMMessage(role="user", content=[LLMContentBlock.text(message)])
    return LoopState(messages=(asked,), max_steps=30), list(agent_request.events.order_by("sequence"))


@pytest.fixture
def accepted(transactional_db: None, workspace: Workspace) -> AgentRequest:
    return AgentRequestFactory.create(workspace=workspace)


def test_two_claimers_get_one_claim(accepted: AgentRequest) -> None:
    first, second = (claim(accepted.pk, lease.new_owner()) for _ in range(2))
    assert (first is not None, second) == (True, None)


def test_a_stale_attempt_may_not_write_or_end(accepted: AgentRequest, event_log: EventLog) -> None:
    stale = claim(accepted.pk, lease.new_owner())
    assert stale
    lease.give_up(stale, stale.attempt)
    current = claim(accepted.pk, lease.new_owner())
    assert current
    before = event_log(current)
    with pytest.raises(StaleAttempt):
        events.append(stale, [NewEvent(event_type=EventKind.CONTEXT_LOADED)], stale.attempt)
    with pytest.raises(StaleAttempt):
        finish.fail(stale, [], reason=Reason.ERROR, error={"error": "late"})
    execute_request(stale, should_stop=lambda: False, stop=StopSignal())
    assert event_log(current) == before
    events.append(current, [NewEvent(event_type=EventKind.CONTEXT_LOADED)], current.attempt)


def test_a_request_that_was_asked_to_stop_may_not_write(accepted: AgentRequest) -> None:
    running = claim(accepted.pk, lease.new_owner())
    assert running
    running.workspace.agent_requests.filter(pk=running.pk).update(cancel_reason="cancelled")
    with pytest.raises(RequestCancelled):
        events.append(running, [NewEvent(event_type=EventKind.CONTEXT_LOADED)], running.attempt)
    execute_request(running, should_stop=lambda: False, stop=StopSignal())
    running.refresh_from_db()
    assert (running.status, running.reason) == ("cancelled", "cancelled")


def test_a_live_lease_is_not_taken_over_and_a_lost_one_is(accepted: AgentRequest) -> None:
    first = claim(accepted.pk, lease.new_owner())
    assert first
    assert claim(accepted.pk, lease.new_owner()) is None
    first.workspace.agent_requests.filter(pk=first.pk).update(lease_expires_at=Now() - timedelta(seconds=1))
    second = claim(accepted.pk, lease.new_owner())
    assert second
    assert (second.attempt, second.lost_leases, second.trace_id) == (2, 1, first.trace_id)


def test_a_dead_owner_on_this_machine_is_noticed_before_its_lease_runs_out(accepted: AgentRequest) -> None:
    machine = lease.new_owner().rpartition(":")[0].rpartition(":")[0]
    assert claim(accepted.pk, f"{machine}:4194304:1")
    assert claim(accepted.pk, lease.new_owner())


def test_a_request_that_loses_every_worker_is_given_up(accepted: AgentRequest, event_log: EventLog) -> None:
    for _ in range(MAX_LOST_LEASES):
        assert claim(accepted.pk, lease.new_owner())
        accepted.workspace.agent_requests.filter(pk=accepted.pk).update(lease_expires_at=Now() - timedelta(seconds=1))
    assert claim(accepted.pk, lease.new_owner()) is None
    accepted.refresh_from_db()
    assert (accepted.status, accepted.reason) == ("failed", "worker_lost")
    assert accepted.error
    assert accepted.error["retryable"]
    assert event_log(accepted)[-1] == "runtime.request.failed"


def test_a_stopping_worker_hands_back_at_the_next_boundary(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver
) -> None:
    row = AgentRequestFactory.create(workspace=workspace, agent=make_agent(), message="tools=1 tool=echo")
    claimed = claim(row.pk, lease.new_owner())
    assert claimed
    answers = iter([False, True])
    execute_request(claimed, should_stop=lambda: next(answers), stop=StopSignal())
    row.refresh_from_db()
    assert (row.status, row.lease_owner, row.events.filter(event_type=EventKind.THINK_COMPLETED).count()) == (
        "running",
        "",
        1,
    )
    [ended] = run_requests()
    assert (ended.status, ended.attempt, ended.lost_leases) == ("completed", 2, 0)


def test_the_same_key_is_written_once(accepted: AgentRequest) -> None:
    running = claim(accepted.pk, lease.new_owner())
    assert running
    lease.give_up(running, running.attempt)
    again = claim(accepted.pk, lease.new_owner())
    assert again
    new = NewEvent(event_type=EventKind.CONTEXT_LOADED, key="context.loaded")
    assert len(events.append(again, [new], again.attempt)) == 1
    assert events.append(again, [new], again.attempt) == []
    again.refresh_from_db()
    assert again.last_sequence == again.events.count()
