"""Appendix A: several requests and several writers."""

import pytest

from agents.models import Agent
from benchmarks.model_server import ModelServer
from runtime import events, lease
from runtime.claim import claim
from runtime.events import NewEvent
from runtime.kinds import EventKind
from tests.conformance.conftest import Client, kind_of
from tests.conftest import AgentMaker, Stepper
from tests.runtime.test_concurrency import at_once
from workspaces.models import Workspace


@pytest.mark.appendix_a("A4")
def test_a4_a_second_request_of_a_session_waits_and_knows_the_first(
    primary: Agent, client: Client, model: ModelServer, workspace: Workspace, run_once: Stepper
) -> None:
    first, second = (client.submit(f"say={word}") for word in ("one", "two"))
    assert not run_once(workspace.agent_requests.get(request_id=second)), "Its wake-up came first."
    client.run()
    before, after = client.frames(first), client.frames(second)
    assert "request.waiting" not in {frame.event for frame in before}
    assert [frame.event for frame in after[:3]] == ["request.accepted", "request.waiting", "request.started"]
    assert (after[1].data["status"], after[1].data["reason"]) == ("waiting", "session_busy")
    ended, began = (client.get(f"agent/primary/request/{request_id}") for request_id in (first, second))
    assert ended["finished_at"] <= began["started_at"]
    assert "say=one" in str(model.requests()[1]["body"]["messages"][0])
    spent = [sum(turn["metadata"]["token_usage"].values()) for turn in client.history()]
    assert [turn["session_total_tokens"] for turn in client.history()] == [spent[0], sum(spent)]
    assert client.get("agent/primary/sessions/s-1")["session_total_tokens"] == sum(spent)


@pytest.mark.appendix_a("A5")
def test_a5_more_sessions_than_the_limit_wait_for_a_slot(make_agent: AgentMaker, client: Client) -> None:
    make_agent(row={"agent_id": "primary"}, max_concurrent_requests=1)
    requests = [client.submit("say=x", session_id=f"s-{number}") for number in range(3)]
    client.run()
    streams = [client.frames(request_id) for request_id in requests]
    waits = [[frame.data["reason"] for frame in frames if frame.event == "request.waiting"] for frames in streams]
    assert waits == [[], ["concurrency_limit"], ["concurrency_limit"]]
    assert {frames[-1].event for frames in streams} == {"request.completed"}


@pytest.mark.appendix_a("A6")
def test_a6_what_happens_once_is_written_once(primary: Agent, client: Client, workspace: Workspace) -> None:
    """Appended again by whoever took the request over, also at the same moment."""
    request_id = client.submit("say=x")
    row = workspace.agent_requests.get(request_id=request_id)
    lost = claim(row.pk, lease.new_owner())
    assert lost
    lease.give_up(lost, lost.attempt)
    running = claim(row.pk, lease.new_owner())
    assert running
    new = NewEvent(event_type=EventKind.CONTEXT_LOADED, key="context.loaded", payload={"message": "x"})

    def append(_: int) -> int:
        mine = workspace.agent_requests.with_agent().get(pk=row.pk)
        return len(events.append(mine, [new], running.attempt))

    assert sorted(at_once(append)) == [0, 0, 0, 0, 0, 1]
    [seen] = [
        frame
        for frame in client.web.first_frames(f"/api/v1/agent/primary/request/{request_id}/events", 2)
        if kind_of(frame) == "runtime.context.loaded"
    ]
    assert seen.id == 2
