"""Compaction, automatic and by hand (contract 5.8, 2.2.8)."""

import threading
import time
from typing import Any

import pytest
from rest_framework.test import APIClient

from agents.models import Agent
from benchmarks.model_server import ModelServer
from runtime.models import AgentRequest
from runtime.verify.run import Verification
from tests.conftest import AgentMaker, Driver, EventLog, Remember
from tests.factories import AgentRequestFactory, CredentialFactory
from tests.runtime.test_durability import cut
from tests.runtime.test_fallback import NOBODY
from tests.web import Web
from workspaces.models import Workspace


@pytest.fixture
def ask(workspace: Workspace, run_requests: Driver):
    def run(agent: Agent, message: str, **fields: Any) -> AgentRequest:
        AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", message=message, **fields)
        return run_requests()[-1]

    return run


def prompts(model: ModelServer) -> list[str]:
    return [str(call["body"]["messages"]) for call in model.requests()]


@pytest.mark.appendix_a("A17")
def test_at_the_threshold_a_summary_takes_the_place_of_earlier_turns(
    make_agent: AgentMaker, ask, event_log: EventLog, model: ModelServer, workspace: Workspace
) -> None:
    agent = make_agent(compaction_token_threshold=1, conversation_history_turns=2)
    first = ask(agent, "say=blue")
    assert first.events.get(event_type="runtime.request.completed").payload["compaction_summary_text"] is None
    model.recording.clear()
    second = ask(agent, "say=next")

    summed_up, asked = prompts(model)
    assert "User: say=blue" in summed_up
    assert "Assistant: blue" in summed_up
    assert "Summary of the conversation so far" in asked
    assert "say=blue" not in asked
    old, checkpoint, new = workspace.turns.order_by("pk")
    assert checkpoint.user_message == "[summary checkpoint:auto]"
    assert checkpoint.metadata == {
        "type": "summary_checkpoint",
        "reason": "auto",
        "turn_limit": 50,
        "turn_ids": [str(old.turn_id)],
        "app_id": agent.agent_id,
        "token_usage": {"input": 0, "output": 0},
    }
    assert (checkpoint.session_total_tokens, checkpoint.signals) == (0, {})
    assert new.session_total_tokens == sum(new.metadata["token_usage"].values())
    completed = second.events.get(event_type="runtime.request.completed").payload
    named = {
        "compaction_summary_text": checkpoint.agent_response,
        "compaction_summary_turn_id": str(checkpoint.turn_id),
    }
    for said in (completed, completed["response_metadata"], new.metadata):
        assert {name: said[name] for name in named} == named
    kinds = event_log(second)
    place = kinds.index("runtime.context.loaded")
    assert kinds[1:place] == [
        "runtime.trace.started",
        "agent.run.start",
        "llm.request.start",
        "llm.request.complete",
        "runtime.compaction.completed",
    ]
    of_its_own = second.events.get(event_type="runtime.compaction.completed")
    assert of_its_own.trace_id not in {None, second.trace_id}
    assert of_its_own.payload["usage"]["output_tokens"] > 0


def test_a_model_that_cannot_sum_up_does_not_stop_the_turn(
    make_agent: AgentMaker, ask, event_log: EventLog, workspace: Workspace, model: ModelServer
) -> None:
    agent = make_agent(compaction_token_threshold=1)
    ask(agent, "say=x")
    workspace.turns.update(user_message="say=x fail=400:1 key=once")
    request = ask(agent, "say=fine")
    assert request.status == "completed"
    failed = request.events.get(event_type="runtime.compaction.failed").payload
    assert failed["reason"] == "auto"
    assert failed["error_code"]
    assert workspace.turns.count() == 2


def test_the_fallback_sums_up_when_the_model_is_down(
    make_agent: AgentMaker, ask, workspace: Workspace, fallback: dict[str, str]
) -> None:
    CredentialFactory.create(workspace=workspace, name="down", base_url=NOBODY)
    request = ask(make_agent(credential="down", compaction_token_threshold=1, **fallback), "say=blue")
    request = ask(request.agent, "say=next")
    assert request.status == "completed"
    summary = request.events.get(event_type="runtime.compaction.completed")
    assert (summary.payload["provider"], summary.payload["model"]) == ("openai_chat", "local")
    told = request.events.filter(event_type="runtime.llm.fallback").order_by("sequence")
    assert [event.trace_id for event in told] == [summary.trace_id, request.trace_id]


def test_a_summary_stays_when_its_request_fails_and_is_no_turn_of_it(
    make_agent: AgentMaker, ask, workspace: Workspace
) -> None:
    agent = make_agent(compaction_token_threshold=1)
    ask(agent, "say=blue")
    failed = ask(agent, "fail=401")
    assert failed.status == "failed"
    assert failed.events.filter(event_type="runtime.compaction.completed").exists()
    assert [str(difference) for difference in Verification().differences(workspace)] == []
    completed = ask(agent, "say=next")
    workspace.turns.filter(turn_id=completed.trace_id).delete()
    assert any("its turn is not in memory" in str(each) for each in Verification().differences(workspace))


def test_a_cost_limit_holds_for_summaries(make_agent: AgentMaker, ask, model: ModelServer) -> None:
    agent = make_agent(model="claude-house", compaction_token_threshold=1)
    ask(agent, "say=blue")
    model.recording.clear()
    refused = ask(agent, "say=next", limits={"max_cost_usd": 5})
    assert (refused.status, refused.reason) == ("failed", "budget")
    assert model.requests() == []


def test_a_request_cut_after_its_compaction_sums_up_once(
    make_agent: AgentMaker, ask, workspace: Workspace, run_requests: Driver, model: ModelServer
) -> None:
    """The worker dies when the summary is in the log and not yet a turn."""
    agent = make_agent(compaction_token_threshold=1)
    ask(agent, "say=blue")
    request = ask(agent, "say=next")
    place = request.events.get(event_type="runtime.compaction.completed").sequence
    cut(request, place)
    model.recording.clear()
    [again] = run_requests()
    assert again.status == "completed"
    assert len(model.requests()) == 1
    assert again.events.filter(event_type="runtime.compaction.completed").count() == 1
    summaries = workspace.turns.filter(user_message__startswith="[summary checkpoint")
    assert [str(turn.turn_id) for turn in summaries] == [
        again.events.get(event_type="runtime.compaction.completed").payload["turn_id"]
    ]


def test_a_summary_covers_the_one_before_and_the_newest_turns(make_agent: AgentMaker, ask, model: ModelServer) -> None:
    agent = make_agent(compaction_token_threshold=1, compaction_turn_limit=2)
    for word in ("one", "two", "three"):
        model.recording.clear()
        ask(agent, f"say={word}")
    summed_up = prompts(model)[0]
    assert "[summary checkpoint" not in summed_up
    assert "say=two" in summed_up
    assert "User: say=one" not in summed_up


@pytest.fixture
def working(run_requests: Driver):
    """Lets workers run beside the test, for answers that wait for them."""
    ended = threading.Event()

    def work() -> None:
        from django.db import connections

        try:
            while not ended.is_set():
                run_requests()
                time.sleep(0.05)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_by_hand_it_waits_its_turn_and_answers_the_summary(
    web: Web, agent: Agent, workspace: Workspace, working: None
) -> None:
    base = f"/api/v1/agent/{agent.agent_id}"
    web.post(f"{base}/request", {"message": "say=blue latency=0.3", "session_id": "s"})
    answer = web.post(f"{base}/sessions/s/compact", {"reason": "tidy", "session_total_tokens_reset": 7})
    assert answer.status == 200, answer.body
    turn = workspace.turns.order_by("pk").last()
    assert answer.json() == {"data": {"summary_text": turn.agent_response, "turn_id": str(turn.turn_id)}}
    assert (turn.user_message, turn.metadata["type"]) == ("[summary checkpoint:tidy]", "summary_checkpoint")
    assert workspace.sessions.get().total_tokens == 7
    empty = web.post(f"{base}/sessions/nobody/compact", {})
    assert empty.json() == {"data": {"summary_text": "", "turn_id": ""}}


def test_by_hand_a_failure_is_an_error(
    web: Web, agent: Agent, workspace: Workspace, working: None, remember: Remember
) -> None:
    remember("fail=401", agent_id=agent.agent_id)
    answer = web.post(f"/api/v1/agent/{agent.agent_id}/sessions/talk/compact", {})
    error = answer.json()["error"]
    assert (answer.status, error["code"], error["details"]["error_code"]) == (
        502,
        "RUNTIME_CLIENT_ERROR",
        "bad_credential",
    )
    assert workspace.turns.count() == 1


@pytest.mark.parametrize("body", [{"reason": 5}, {"session_total_tokens_reset": -1}, {"other": 1}])
def test_a_body_that_makes_no_sense_is_refused(web: Web, agent: Agent, body: dict[str, Any]) -> None:
    answer = web.post(f"/api/v1/agent/{agent.agent_id}/sessions/s/compact", body)
    assert (answer.status, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")


def test_without_workers_it_answers_that_it_is_accepted(api_client: APIClient, agent: Agent) -> None:
    answer = api_client.post(f"/api/v1/agent/{agent.agent_id}/sessions/s/compact", {}, format="json")
    assert answer.status_code == 202
    assert answer.json()["data"]["status"] == "accepted"
