"""Appendix A: one request from its acceptance to its end, and how models and tools may spoil it."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from agents.models import Agent
from benchmarks.model_server import ModelServer
from tests.conformance.conftest import Client, kind_of, payloads
from tests.conftest import AgentMaker
from workspaces.models import Workspace

# Contract 3.5; what extensions 1 adds in between is left out.
SIMPLE_TURN = [
    "request.accepted",
    "request.started",
    "agent.run.start",
    "runtime.context.loaded",
    "agent.think.start",
    "llm.request.start",
    "llm.request.complete",
    "agent.think.complete",
    "runtime.llm.think.completed",
    "runtime.step.completed",
    "runtime.turn.persisted",
    "agent.run.complete",
    "request.completed",
]
TERMINAL = {"request.completed", "request.error", "request.cancelled"}


@pytest.mark.appendix_a("A1")
def test_a1_a_turns_events_come_in_the_contracts_order(primary: Agent, client: Client) -> None:
    frames = client.turn("say=hello")
    assert [kind for kind in map(kind_of, frames) if kind in SIMPLE_TURN] == SIMPLE_TURN
    assert {kind_of(frame) for frame in frames} - set(SIMPLE_TURN) == {"runtime.llm.think.started"}
    assert [frame.id for frame in frames] == list(range(1, len(frames) + 1))
    assert [frame.data["request_seq"] for frame in frames if frame.event == "agent.trace"] == [
        frame.id for frame in frames if frame.event == "agent.trace"
    ]
    assert [frame.event in TERMINAL for frame in frames].count(True) == 1
    assert frames[-1].data["turn_id"] == frames[-1].data["trace_id"]
    assert client.history()[0]["turn_id"] == frames[-1].data["turn_id"]


@pytest.mark.appendix_a("A2")
def test_a2_who_comes_back_after_the_end_gets_everything_again(primary: Agent, client: Client) -> None:
    request_id = client.submit("tools=1 tool=echo")
    client.run()
    first, again = client.frames(request_id), client.frames(request_id)
    assert first == again
    assert first[-1].event == "request.completed"


@pytest.mark.appendix_a("A7")
def test_a7_a_turn_that_was_stored_before_the_crash_is_stored_once(
    primary: Agent, client: Client, workspace: Workspace
) -> None:
    """What a crash between the turn and the end leaves, where memory lives in another database: the turn alone."""
    before = client.turn("say=hello")
    agent_request = workspace.agent_requests.get()
    persisted = agent_request.events.get(event_type="runtime.turn.persisted").sequence
    agent_request.events.filter(sequence__gte=persisted).delete()
    workspace.agent_requests.filter(pk=agent_request.pk).update(
        status="running",
        reason="",
        finished_at=None,
        last_sequence=persisted - 1,
        lease_expires_at=Now() - timedelta(seconds=1),
    )
    turns = client.history()
    client.run()
    frames = client.frames(str(agent_request.request_id))
    assert [kind_of(frame) for frame in frames].count("runtime.turn.persisted") == 1
    assert [frame.event in TERMINAL for frame in frames].count(True) == 1
    assert client.history() == turns
    assert frames[-1].data["session_total_tokens"] == before[-1].data["session_total_tokens"]
    assert client.get("agent/primary/sessions/s-1")["session_total_tokens"] == turns[0]["session_total_tokens"]


@pytest.mark.appendix_a("A10")
def test_a10_a_model_that_fails_ends_the_request_in_error(primary: Agent, client: Client) -> None:
    frames = client.turn("fail=400")
    last = frames[-1]
    assert (last.event, last.data["status"]) == ("request.error", "error")
    assert last.data["error"]
    assert last.data["error_type"]
    kinds = {kind_of(frame) for frame in frames}
    assert "llm.request.error" in kinds
    assert not kinds & {"runtime.turn.persisted", "agent.run.complete"}
    assert client.history() == []


@pytest.mark.appendix_a("A11")
def test_a11_a_context_that_is_too_long_has_its_code(primary: Agent, client: Client) -> None:
    last = client.turn("fail=context")[-1].data
    assert (last["error_code"], last["retryable"]) == ("context_length_exceeded", False)


@pytest.mark.appendix_a("A12")
def test_a12_an_unknown_tool_is_an_error_for_the_model(primary: Agent, client: Client) -> None:
    frames = client.turn("fail=unknown_tool say=well")
    [payload] = payloads(frames, "runtime.tool.call.completed")
    assert (payload["tool_name"], payload["result"]["is_error"]) == ("no_such_tool", True)
    assert "no_such_tool" in payload["result"]["content"]
    assert "agent.tool.call" not in {kind_of(frame) for frame in frames}
    assert frames[-1].data["response"]["text"] == "well"


@pytest.mark.appendix_a("A13")
def test_a13_an_exhausted_step_limit_completes_with_its_fixed_text(make_agent: AgentMaker, client: Client) -> None:
    make_agent(row={"agent_id": "primary"}, max_steps=2)
    frames = client.turn("tools=9 tool=echo")
    assert len(payloads(frames, "runtime.llm.think.completed")) == 2
    assert len(payloads(frames, "runtime.tool.call.completed")) == 2, "Calls of the last step are executed."
    last = frames[-1].data
    assert last["status"] == "completed"
    assert last["response"]["text"].startswith("Stopped after reaching the max step limit (2)")
    assert (last["response"]["metadata"]["stop_reason"], last["signals"]) == ("max_steps", {})


@pytest.mark.appendix_a("A14")
def test_a14_a_tool_call_that_was_cut_off_fails_the_request(primary: Agent, client: Client) -> None:
    """As the extensions have it: nothing of it runs, and the request says why."""
    frames = client.turn("fail=truncated_tool tool=echo")
    last = frames[-1]
    assert last.event == "request.error"
    assert (last.data["error_code"], last.data["retryable"]) == ("truncated_tool_call", False)
    assert "agent.tool.call" not in {kind_of(frame) for frame in frames}


@pytest.mark.appendix_a("A15")
def test_a15_a_missing_argument_is_an_error_for_the_model(primary: Agent, client: Client, model: ModelServer) -> None:
    frames = client.turn("fail=missing_args tool=need say=well")
    [payload] = payloads(frames, "runtime.tool.call.completed")
    assert payload["result"]["is_error"]
    assert "'text' is a required property" in str(model.requests()[1]["body"]["messages"][-1])
    assert frames[-1].data["response"]["text"] == "well"


@pytest.mark.appendix_a("A16")
def test_a16_without_history_only_the_new_message_is_sent(
    make_agent: AgentMaker, client: Client, model: ModelServer
) -> None:
    make_agent(row={"agent_id": "primary"}, conversation_history_turns=0)
    for word in ("one", "two"):
        client.turn(f"say={word}")
    assert [len(call["body"]["messages"]) for call in model.requests()] == [1, 1]
    assert len(client.history()) == 2
