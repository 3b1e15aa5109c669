"""When the first provider is down another one answers, and the trace says so (contract 5.9)."""

import pytest

from agents.check import definition_faults
from agents.definition import AgentDefinition
from agents.models import Agent
from benchmarks.model_server import ModelServer
from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver, EventLog
from tests.factories import AgentRequestFactory, CredentialFactory
from workspaces.models import Workspace

NOBODY = "http://127.0.0.1:9"


def run(agent: Agent, message: str, run_requests: Driver) -> AgentRequest:
    AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message=message)
    [ran] = run_requests()
    return ran


def test_the_fallback_answers_and_the_trace_says_who_did(
    make_agent: AgentMaker, run_requests: Driver, fallback: dict[str, str], workspace: Workspace, event_log: EventLog
) -> None:
    CredentialFactory.create(workspace=workspace, name="down", base_url=NOBODY)
    ran = run(make_agent(credential="down", **fallback), "say=rescued", run_requests)
    assert ran.status == "completed"
    assert workspace.turns.get().agent_response == "rescued"
    kinds = event_log(ran)
    # One more chance for the first, then the other one.
    assert kinds.count("llm.request.error") == 2
    assert kinds.index("runtime.llm.fallback") == kinds.index("llm.request.complete") - 1
    told = ran.events.get(event_type="runtime.llm.fallback").payload
    first, second = (
        {"provider": "anthropic", "model": "claude-haiku-4-5-20251001"},
        {
            "provider": "openai_chat",
            "model": "local",
        },
    )
    assert (told["from"], told["to"], told["code"]) == (first, second, "unreachable")
    for kind in ("llm.request.complete", "runtime.llm.think.completed"):
        payload = ran.events.get(event_type=kind).payload
        assert second.items() <= payload.items()
    for error in ran.events.filter(event_type="llm.request.error"):
        assert first.items() <= error.payload.items()


def test_errors_that_may_pass_are_tried_as_often_as_ever_before_the_fallback(
    make_agent: AgentMaker, run_requests: Driver, fallback: dict[str, str], model: ModelServer
) -> None:
    agent = make_agent(model_attempts=3, **fallback)
    ran = run(agent, "fail=429:3 retry_after=0 say=rescued", run_requests)
    assert ran.status == "completed"
    assert [request["path"] for request in model.requests()] == ["/v1/messages"] * 3 + ["/v1/chat/completions"]


@pytest.mark.parametrize("message", ["fail=400", "fail=401", "fail=refusal", "fail=context"])
def test_what_another_model_would_not_mend_is_not_asked_of_it(
    make_agent: AgentMaker, run_requests: Driver, fallback: dict[str, str], model: ModelServer, message: str
) -> None:
    ran = run(make_agent(**fallback), message, run_requests)
    assert ran.status == "failed"
    assert {request["path"] for request in model.requests()} == {"/v1/messages"}


def test_when_both_are_down_the_last_error_is_told(
    make_agent: AgentMaker, run_requests: Driver, fallback: dict[str, str], event_log: EventLog
) -> None:
    ran = run(make_agent(model_attempts=2, **fallback), "fail=503 retry_after=0", run_requests)
    assert (ran.status, ran.reason) == ("failed", "provider_error")
    assert ran.error["error_code"] == "overloaded"
    assert event_log(ran).count("llm.request.error") == 4


def test_a_fallback_that_cannot_be_built_does_not_stop_the_agent(make_agent: AgentMaker, run_requests: Driver) -> None:
    agent = make_agent(fallback_provider="openai", fallback_credential="deleted")
    assert run(agent, "say=fine", run_requests).status == "completed"


def test_a_fallback_is_checked_like_the_first_provider(workspace: Workspace, fallback: dict[str, str]) -> None:
    assert definition_faults(workspace, AgentDefinition(**fallback)) == {}
    missing = AgentDefinition(**{**fallback, "fallback_credential": "nowhere"})
    assert set(definition_faults(workspace, missing)) == {"fallback_credential"}
    assert set(definition_faults(workspace, AgentDefinition(fallback_provider="none"))) == {"fallback_provider"}
    assert set(definition_faults(workspace, AgentDefinition(fallback_model="m"))) == {"fallback_provider"}
    wrong_kind = AgentDefinition(**{**fallback, "fallback_provider": "openai"})
    assert set(definition_faults(workspace, wrong_kind)) == {"fallback_credential"}
