"""Stop, go on, once more: by request and by trace (extensions 4)."""

import threading
import time
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from agents.models import Agent
from agents.stop_signal import StopSignal
from benchmarks.model_server import ModelServer
from runtime import lease
from runtime.claim import claim
from runtime.execute import execute_request
from runtime.kinds import EventKind
from runtime.models import AgentRequest
from runtime.sweeper import Sweeper
from tests.conftest import AgentMaker, Driver, Stepper
from tests.factories import AgentRequestFactory
from tests.runtime.test_delegation import ABOUT, delegating
from tests.web import Web


@pytest.fixture
def agent(make_agent: AgentMaker) -> Agent:
    return make_agent(tools=("echo", "guarded", "patient"), model_timeout_s=20)


def send(agent: Agent, message: str, session_id: str = "s") -> AgentRequest:
    return AgentRequestFactory.create(workspace=agent.workspace, agent=agent, session_id=session_id, message=message)


def steer(client: APIClient, agent_request: AgentRequest, verb: str, *, by_trace: bool = False) -> Any:
    subject = f"trace/{agent_request.trace_id}" if by_trace else f"request/{agent_request.request_id}"
    answer = client.post(f"/api/v1/agent/{agent_request.agent.agent_id}/{subject}/{verb}")
    agent_request.refresh_from_db()
    return answer


class Worker:
    """One request on a thread, with the part of a worker process that hears of cancels."""

    owner = "test"
    deliveries = 0

    def __init__(self, agent_request: AgentRequest) -> None:
        self.held = {agent_request.pk: StopSignal()}
        self.stop = self.held[agent_request.pk]
        claimed = claim(agent_request.pk, lease.new_owner())
        assert claimed
        self.claimed = claimed
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def _work(self) -> None:
        try:
            execute_request(self.claimed, should_stop=lambda: False, stop=self.stop)
        finally:
            connection.close()

    def sweep_in(self, request_pk: int) -> bool:
        return False

    def free_threads(self) -> int:
        return 0

    def join_after_cancel(self) -> float:
        """Seconds from the cancel, as the sweeper sees it, to the end of the thread."""
        began = time.monotonic()
        Sweeper(self)._stop_cancelled()
        self.thread.join(10)
        return time.monotonic() - began


def test_a_queued_request_ends_at_once_and_again_changes_nothing(agent: Agent, api_client: APIClient) -> None:
    agent_request = send(agent, "say=hello")
    row = steer(api_client, agent_request, "cancel").json()["data"]
    assert (row["status"], row["reason"]) == ("cancelled", "cancelled")
    head = agent_request.last_sequence
    assert steer(api_client, agent_request, "cancel").status_code == 200
    assert agent_request.last_sequence == head


def test_a_tool_that_runs_is_stopped_and_its_result_says_so(
    agent: Agent, api_client: APIClient, run_requests: Driver, transactional_db: None
) -> None:
    agent_request = send(agent, "tools=1 tool=patient say=done")
    worker = Worker(agent_request)
    _wait_for(agent_request, EventKind.TOOL_STARTED)
    assert steer(api_client, agent_request, "cancel").json()["data"]["status"] == "running"
    assert worker.join_after_cancel() < 2
    agent_request.refresh_from_db()
    assert (agent_request.status, agent_request.reason) == ("cancelled", "cancelled")
    assert agent_request.events.filter(event_type=EventKind.TOOL_COMPLETED).exists(), "No call without a result."
    following = send(agent, "say=next")
    run_requests()
    following.refresh_from_db()
    assert following.status == "completed"


def test_a_model_call_is_stopped_and_the_request_goes_on_later(
    agent: Agent, api_client: APIClient, run_requests: Driver, model: ModelServer, transactional_db: None
) -> None:
    agent_request = send(agent, "latency=15 say=late")
    worker = Worker(agent_request)
    _wait_for(agent_request, EventKind.THINK_STARTED)
    steer(api_client, agent_request, "cancel")
    assert worker.join_after_cancel() < 2
    agent_request.refresh_from_db()
    assert (agent_request.status, agent_request.reason) == ("cancelled", "cancelled")
    assert not agent_request.events.filter(event_type=EventKind.LLM_RETRY).exists()


def test_a_parked_request_ends_with_its_questions_and_children(
    make_agent: AgentMaker, run_once: Stepper, api_client: APIClient
) -> None:
    make_agent(row={"agent_id": "research"}, **ABOUT)
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY}, tools=("guarded",))
    parent, asking = send(primary, delegating(("research", "say=x"))), send(primary, "tools=1 tool=guarded", "t")
    run_once(parent)
    run_once(asking)
    for agent_request in (parent, asking):
        assert steer(api_client, agent_request, "cancel").json()["data"]["status"] == "cancelled"
    child = parent.children.get()
    assert (child.status, child.cancelled_by) == ("cancelled", f"request:{parent.request_id}")
    assert asking.interactions.get().state == "cancelled"
    assert parent.events.order_by("sequence").last().event_type == EventKind.REQUEST_CANCELLED


def test_a_cancelled_request_goes_on_where_it_was(
    agent: Agent, run_once: Stepper, run_requests: Driver, api_client: APIClient, model: ModelServer, web: Web
) -> None:
    agent_request = send(agent, "tools=1 tool=guarded say=done")
    run_once(agent_request)
    trace_id = agent_request.trace_id
    steer(api_client, agent_request, "cancel")
    path = f"/api/v1/agent/{agent.agent_id}/request/{agent_request.request_id}/events?events=2"
    seen = web.get(path).frames()
    assert seen[-1].event == "request.cancelled"
    row = steer(api_client, agent_request, "resume", by_trace=True).json()["data"]
    assert (row["status"], row["run"], row["is_terminal"]) == ("accepted", 2, False)
    run_once(agent_request)
    assert agent_request.status == "paused", "The question is asked anew."
    interaction = agent_request.interactions.get(state="open")
    api_client.post(
        f"/api/v1/agent/{agent.agent_id}/request/{agent_request.request_id}/interaction",
        {"interaction_id": interaction.interaction_id, "response": "approve"},
        format="json",
    )
    run_requests()
    agent_request.refresh_from_db()
    assert (agent_request.status, agent_request.trace_id, len(model.requests())) == ("completed", trace_id, 2)
    rest = web.get(path, headers={"Last-Event-ID": str(seen[-1].id)}).frames()
    assert [rest[0].event, rest[-1].event] == ["request.resumed", "request.completed"]
    assert [frame.id for frame in seen + rest] == list(range(1, agent_request.last_sequence + 1))


def test_a_resumed_parent_lets_its_child_go_on(
    make_agent: AgentMaker, run_once: Stepper, run_requests: Driver, api_client: APIClient
) -> None:
    make_agent(row={"agent_id": "research"}, **ABOUT)
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY})
    parent = send(primary, delegating(("research", "say=found")))
    run_once(parent)
    steer(api_client, parent, "cancel")
    steer(api_client, parent, "resume")
    run_requests()
    parent.refresh_from_db()
    child = parent.children.get()
    assert (parent.status, child.status, child.run) == ("completed", "completed", 2)


def test_what_cannot_be_resumed_says_why(agent: Agent, run_requests: Driver, api_client: APIClient) -> None:
    completed, cut = send(agent, "say=hello"), send(agent, "fail=truncated_tool tool=echo", "t")
    failed = send(agent, "fail=400", "u")
    run_requests()
    for agent_request in (completed, cut):
        assert steer(api_client, agent_request, "resume").json()["error"]["code"] == "NOT_RESUMABLE"
    later = send(agent, "say=later", "u")
    assert steer(api_client, failed, "resume").json()["error"]["code"] == "SESSION_BUSY"
    run_requests()
    assert steer(api_client, failed, "resume").json()["error"]["code"] == "REQUEST_STALE"
    assert later.pk


def test_a_failed_request_can_be_resumed_and_fail_again(
    agent: Agent, run_requests: Driver, api_client: APIClient
) -> None:
    agent_request = send(agent, "fail=400")
    run_requests()
    assert steer(api_client, agent_request, "resume").status_code == 200
    run_requests()
    agent_request.refresh_from_db()
    assert (agent_request.status, agent_request.run) == ("failed", 2)
    assert agent_request.events.filter(event_type=EventKind.REQUEST_FAILED).count() == 2


def test_a_rerun_is_a_new_request_that_reads_todays_history(
    agent: Agent, run_requests: Driver, api_client: APIClient, model: ModelServer
) -> None:
    agent_request = send(agent, "say=hello")
    run_requests()
    again = steer(api_client, agent_request, "rerun").json()["data"]
    run_requests()
    row = api_client.get(f"/api/v1/agent/{agent.agent_id}/request/{again['request_id']}").json()["data"]
    assert (row["status"], row["rerun_of"]) == ("completed", str(agent_request.request_id))
    assert len(model.requests()[-1]["body"]["messages"]) == 3


def test_interrupting_supersedes_a_parked_request(
    agent: Agent, run_once: Stepper, run_requests: Driver, api_client: APIClient
) -> None:
    parked = send(agent, "tools=1 tool=guarded")
    run_once(parked)
    body = {"message": "say=now", "session_id": "s", "multitask": "interrupt"}
    answer = api_client.post(f"/api/v1/agent/{agent.agent_id}/request", body, format="json").json()["data"]
    run_requests()
    parked.refresh_from_db()
    assert (parked.status, parked.reason) == ("cancelled", "superseded")
    run_requests()
    row = api_client.get(f"/api/v1/agent/{agent.agent_id}/request/{answer['request_id']}").json()["data"]
    assert row["status"] == "completed"


def _wait_for(agent_request: AgentRequest, kind: EventKind) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if agent_request.events.filter(event_type=kind).exists():
            return
        time.sleep(0.02)
    raise AssertionError(f"{kind} did not come.")
