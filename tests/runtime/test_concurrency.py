"""Several requests and several writers at once: order in a session, limits, and numbers without gaps (promises 2 and 4)."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from agents.models import Agent
from agents.stop_signal import StopSignal
from benchmarks.model_server import ModelServer
from runtime import events, lease
from runtime.claim import claim
from runtime.events import NewEvent
from runtime.execute import execute_request
from runtime.kinds import EventKind
from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver, EventLog, client_with
from tests.factories import AgentRequestFactory
from tests.web import Web
from workspaces.models import Workspace

THREADS = 6


def at_once(work: Callable[[int], Any], count: int = THREADS) -> list[Any]:
    """The results of `work(0..count-1)`, each in a thread of its own, all begun at the same moment."""
    barrier, results = threading.Barrier(count), [None] * count
    faults: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait(10)
            results[number] = work(number)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not faults
    return results


def test_writers_at_once_leave_no_gap_and_no_twin(transactional_db: None, workspace: Workspace) -> None:
    agent_request = AgentRequestFactory.create(workspace=workspace)

    def write(number: int) -> None:
        mine = workspace.agent_requests.get(pk=agent_request.pk)
        for n in range(5):
            events.append(mine, [NewEvent(event_type=EventKind.CONTEXT_LOADED, payload={"by": number, "n": n})] * 2)

    at_once(write)
    agent_request.refresh_from_db()
    numbers = list(agent_request.events.order_by("sequence").values_list("sequence", flat=True))
    assert numbers == list(range(1, 2 + THREADS * 10))
    assert agent_request.last_sequence == len(numbers)


def test_claimers_at_once_get_one_claim(transactional_db: None, workspace: Workspace) -> None:
    agent_request = AgentRequestFactory.create(workspace=workspace)
    claimed = at_once(lambda _: claim(agent_request.pk, lease.new_owner()))
    assert len([row for row in claimed if row is not None]) == 1
    agent_request.refresh_from_db()
    assert agent_request.attempt == 1


def test_a_sessions_requests_are_claimed_one_at_a_time(transactional_db: None, workspace: Workspace) -> None:
    first = AgentRequestFactory.create(workspace=workspace, session_id="s")
    rows = [first] + [
        AgentRequestFactory.create(workspace=workspace, agent=first.agent, session_id="s") for _ in range(THREADS - 1)
    ]
    claimed = at_once(lambda number: claim(rows[number].pk, lease.new_owner()))
    assert [row.pk for row in claimed if row is not None] == [first.pk]


@pytest.mark.parametrize("holder", ["workspace", "agent"])
def test_claimers_at_once_stay_within_a_limit(
    transactional_db: None, workspace: Workspace, make_agent: AgentMaker, holder: str
) -> None:
    agent = make_agent(max_concurrent_requests=2 if holder == "agent" else None)
    if holder == "workspace":
        Workspace.objects.filter(pk=workspace.pk).update(max_concurrent_requests=2)
    rows = [AgentRequestFactory.create(workspace=workspace, agent=agent) for _ in range(THREADS)]
    at_once(lambda number: claim(rows[number].pk, lease.new_owner()))
    assert workspace.agent_requests.running().count() == 2
    waiting = workspace.agent_requests.filter(status="waiting", wait_reason="concurrency_limit")
    assert waiting.count() == THREADS - 2


def test_one_key_sent_at_once_makes_one_request(
    transactional_db: None, workspace: Workspace, agent: Agent, token: str
) -> None:
    def submit(_: int) -> tuple[int, str]:
        answer = client_with(token).post(
            f"/api/v1/agent/{agent.agent_id}/request",
            {"message": "hello", "session_id": "s"},
            "json",
            headers={"Idempotency-Key": "k"},
        )
        return answer.status_code, answer.json()["data"]["request_id"]

    assert len(set(at_once(submit))) == 1
    assert workspace.agent_requests.count() == 1


def test_reject_sent_at_once_lets_one_in(
    transactional_db: None, workspace: Workspace, agent: Agent, token: str
) -> None:
    body = {"message": "hello", "session_id": "s", "multitask": "reject"}
    path = f"/api/v1/agent/{agent.agent_id}/request"
    statuses = at_once(lambda _: client_with(token).post(path, body, "json").status_code)
    assert sorted(statuses) == [200] + [409] * (THREADS - 1)


def test_a_second_request_waits_for_the_first_and_knows_its_turn(
    web: Web, workspace: Workspace, agent: Agent, run_requests: Driver, event_log: EventLog, model: ModelServer
) -> None:
    rows = [
        AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", message=f"say=answer{n}")
        for n in range(2)
    ]
    first = claim(rows[0].pk, lease.new_owner())
    assert first
    assert claim(rows[1].pk, lease.new_owner()) is None
    assert claim(rows[1].pk, lease.new_owner()) is None
    assert event_log(rows[1]) == ["runtime.request.accepted", "runtime.request.waiting"], "It says so once."
    waiting = web.first_frames(f"/api/v1/agent/{agent.agent_id}/request/{rows[1].request_id}/events", 2)[1]
    assert waiting.event == "request.waiting"
    assert (waiting.data["reason"], waiting.data["position"]) == ("session_busy", 1)
    execute_request(first, should_stop=lambda: False, stop=StopSignal())
    [second] = run_requests()
    first.refresh_from_db()
    assert first.finished_at
    assert second.started_at
    assert second.started_at >= first.finished_at
    assert "answer0" in str(model.requests()[1]["body"]["messages"])
    session = workspace.sessions.get()
    spent = [row.input_tokens + row.output_tokens for row in workspace.agent_requests.order_by("pk")]
    assert (session.total_tokens, session.turn_count) == (sum(spent), 2)
    totals = list(workspace.turns.order_by("id").values_list("session_total_tokens", flat=True))
    assert totals == [spent[0], sum(spent)]


def test_more_sessions_than_the_limit_wait_for_a_slot_and_all_end(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver, event_log: EventLog
) -> None:
    agent = make_agent(max_concurrent_requests=1)
    rows = [AgentRequestFactory.create(workspace=workspace, agent=agent, message="say=x") for _ in range(3)]
    ended = run_requests()
    assert [row.pk for row in ended] == [row.pk for row in rows]
    assert [row.status for row in ended] == ["completed"] * 3
    assert [("runtime.request.waiting" in event_log(row)) for row in ended] == [False, True, True]
    [payload] = rows[1].events.filter(event_type=EventKind.REQUEST_WAITING).values_list("payload", flat=True)
    assert payload["reason"] == "concurrency_limit"


def test_interrupt_stops_what_runs_and_then_runs(
    web: Web, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    path = f"/api/v1/agent/{agent.agent_id}/request"
    first: AgentRequest = AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s")
    running = claim(first.pk, lease.new_owner())
    assert running
    assert web.post(path, {"message": "say=new", "session_id": "s", "multitask": "interrupt"}).status == 200
    execute_request(running, should_stop=lambda: False, stop=StopSignal())
    [second] = run_requests()
    first.refresh_from_db()
    assert (first.status, first.reason, second.status) == ("cancelled", "superseded", "completed")
    assert workspace.turns.get().agent_response == "new"
