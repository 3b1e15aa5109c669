"""A turn by its log: given this script, exactly these events in this order (contract 3.5, appendix A)."""

import pytest

from agents.loop import MAX_STEPS_PREFIX
from benchmarks.model_server import ModelServer
from runtime.models import AgentRequest
from tests import tools
from tests.conftest import AgentMaker, Driver, EventLog
from tests.factories import AgentRequestFactory
from workspaces.models import Workspace

BEGIN = ["runtime.request.accepted", "runtime.trace.started", "agent.run.start", "runtime.context.loaded"]
ASKED = ["agent.think.start", "runtime.llm.think.started", "llm.request.start"]
ANSWERED = ["llm.request.complete", "agent.think.complete", "runtime.llm.think.completed"]
RETRY = ["llm.request.error", "runtime.llm.retry"]
THINK = ASKED + ANSWERED
TOOL = ["agent.tool.call", "runtime.tool.call.started", "agent.tool.result", "runtime.tool.call.completed"]
UNKNOWN_TOOL = ["runtime.tool.call.completed"]
STEP = ["runtime.step.completed"]
DONE = ["runtime.turn.persisted", "agent.run.complete", "runtime.request.completed"]
FAILED = ["runtime.request.failed"]

SCRIPTS = {
    "say=hello": (BEGIN + THINK + STEP + DONE, "end_turn"),
    "tools=2 tool=echo": (BEGIN + (THINK + TOOL + STEP) * 2 + THINK + STEP + DONE, "end_turn"),
    "tools=1 calls=2 tool=echo": (BEGIN + THINK + TOOL * 2 + STEP + THINK + STEP + DONE, "end_turn"),
    "fail=unknown_tool": (BEGIN + THINK + UNKNOWN_TOOL + STEP + THINK + STEP + DONE, "end_turn"),
    "fail=bad_args tool=echo": (BEGIN + THINK + TOOL + STEP + THINK + STEP + DONE, "end_turn"),
    "fail=missing_args tool=need": (BEGIN + THINK + TOOL + STEP + THINK + STEP + DONE, "end_turn"),
    "tools=1 tool=explode": (BEGIN + THINK + TOOL + STEP + THINK + STEP + DONE, "end_turn"),
    "fail=empty": (BEGIN + THINK + STEP + DONE, "end_turn"),
    "fail=429:1 retry_after=0": (BEGIN + ASKED + RETRY + ANSWERED + STEP + DONE, "end_turn"),
    "fail=500:2 retry_after=0": (BEGIN + ASKED + RETRY * 2 + ANSWERED + STEP + DONE, "end_turn"),
    "fail=close:1": (BEGIN + ASKED + RETRY + ANSWERED + STEP + DONE, "end_turn"),
    "fail=malformed:1": (BEGIN + ASKED + RETRY + ANSWERED + STEP + DONE, "end_turn"),
    "fail=hang:1": (BEGIN + ASKED + RETRY + ANSWERED + STEP + DONE, "end_turn"),
    "fail=500 retry_after=0": (BEGIN + ASKED + RETRY * 3 + ["llm.request.error"] + FAILED, "provider_error"),
    "fail=400": (BEGIN + ASKED + ["llm.request.error"] + FAILED, "provider_error"),
    "fail=401": (BEGIN + ASKED + ["llm.request.error"] + FAILED, "provider_error"),
    "fail=context": (BEGIN + ASKED + ["llm.request.error"] + FAILED, "context_overflow"),
    "fail=truncated_tool": (BEGIN + THINK + FAILED, "truncated"),
}


@pytest.fixture
def run_script(workspace: Workspace, make_agent: AgentMaker, run_requests: Driver):
    def run(message: str, **definition: object) -> AgentRequest:
        AgentRequestFactory.create(workspace=workspace, agent=make_agent(**definition), session_id="s", message=message)
        [agent_request] = run_requests()
        return agent_request

    return run


@pytest.mark.parametrize("message", SCRIPTS)
def test_the_log_holds_exactly_these_events(
    run_script, event_log: EventLog, workspace: Workspace, message: str
) -> None:
    expected, reason = SCRIPTS[message]
    agent_request = run_script(message)
    assert event_log(agent_request) == expected
    assert agent_request.reason == reason
    assert list(agent_request.events.values_list("sequence", flat=True)) == list(range(1, len(expected) + 1))
    assert workspace.turns.count() == (1 if agent_request.status == "completed" else 0)
    if agent_request.status == "completed":
        assert workspace.turns.get().turn_id == agent_request.trace_id


def test_retries_wait_as_long_as_the_provider_asks(run_script) -> None:
    agent_request = run_script("fail=429:1 retry_after=1 say=late")
    retry = agent_request.events.get(event_type="runtime.llm.retry").payload
    assert (retry["attempt"], retry["delay_s"], retry["code"]) == (1, 1.0, "rate_limited")
    waited = agent_request.finished_at - agent_request.started_at
    assert waited.total_seconds() >= 1


@pytest.mark.parametrize(
    ("message", "code", "retryable"),
    [
        ("fail=context", "context_length_exceeded", False),
        ("fail=401", "bad_credential", False),
        ("fail=500 retry_after=0", "overloaded", True),
        ("fail=truncated_tool", "truncated_tool_call", False),
    ],
)
def test_a_failure_is_typed(run_script, message: str, code: str, retryable: bool) -> None:
    agent_request = run_script(message)
    failed = agent_request.events.get(event_type="runtime.request.failed").payload
    assert (failed["error_code"], failed["retryable"]) == (code, retryable)
    assert set(failed) == {"error", "error_type", "error_code", "retryable", "reason"}
    assert {**agent_request.error, "reason": agent_request.reason} == failed


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("fail=unknown_tool", "There is no tool named 'no_such_tool'"),
        ("fail=bad_args tool=echo", "not valid JSON"),
        ("fail=missing_args tool=need", "'text' is a required property"),
        ("tools=1 tool=explode", "ZeroDivisionError: seven"),
    ],
)
def test_a_tool_that_cannot_be_used_is_told_to_the_model(
    run_script, model: ModelServer, message: str, told: str
) -> None:
    agent_request = run_script(message)
    result = agent_request.events.get(event_type="runtime.tool.call.completed").payload["result"]
    assert result["is_error"]
    assert told in result["content"]
    assert told in str(model.requests()[1]["body"]["messages"][-1])


def test_the_step_limit_ends_with_its_fixed_text(run_script, event_log: EventLog, workspace: Workspace) -> None:
    agent_request = run_script("tools=9 tool=echo", max_steps=2)
    assert event_log(agent_request) == BEGIN + (THINK + TOOL + STEP) * 2 + DONE
    turn = workspace.turns.get()
    assert turn.agent_response.startswith(MAX_STEPS_PREFIX)
    assert (turn.metadata["stop_reason"], turn.signals, agent_request.reason) == ("max_steps", {}, "max_steps")


def test_a_requests_own_limits_are_only_tighter(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver
) -> None:
    agent = make_agent(max_steps=2)
    for steps in (1, 5):
        AgentRequestFactory.create(
            workspace=workspace, agent=agent, message="tools=9 tool=echo", limits={"max_steps": steps}
        )
    thought = [row.events.filter(event_type="runtime.llm.think.completed").count() for row in run_requests()]
    assert thought == [1, 2]


def test_a_deadline_ends_a_request_whose_model_hangs(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver, event_log: EventLog
) -> None:
    agent = make_agent(model_timeout_s=60)
    AgentRequestFactory.create(workspace=workspace, agent=agent, message="fail=hang", limits={"deadline_s": 0.5})
    [agent_request] = run_requests()
    assert (agent_request.status, agent_request.reason) == ("failed", "deadline")
    assert event_log(agent_request)[-2:] == ["llm.request.error", *FAILED]
    assert (agent_request.duration_s or 99) < 5


def test_context_and_history_reach_the_model_and_metadata_does_not(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver, model: ModelServer
) -> None:
    agent = make_agent(conversation_history_turns=1, system_prompt="Be kind.")
    for n in range(3):
        AgentRequestFactory.create(
            workspace=workspace,
            agent=agent,
            session_id="s",
            message=f"say=answer{n}",
            context="It is noon.",
            metadata={"secret": "hidden"},
        )
    assert len(run_requests()) == 3
    last = model.requests()[-1]["body"]
    assert "Be kind.\\n\\nIt is noon." in str(last["system"]).replace("\n", "\\n")
    assert [message["role"] for message in last["messages"]] == ["user", "assistant", "user"]
    assert "answer1" in str(last["messages"][1])
    assert "answer0" not in str(last["messages"])
    assert "hidden" not in str(model.requests())


def test_without_history_only_the_new_message_is_sent(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver, model: ModelServer
) -> None:
    agent = make_agent(conversation_history_turns=0)
    for _ in range(2):
        AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", message="say=x")
    run_requests()
    assert [len(call["body"]["messages"]) for call in model.requests()] == [1, 1]


def test_no_event_carries_the_conversation(workspace: Workspace, make_agent: AgentMaker, run_requests: Driver) -> None:
    agent = make_agent()
    sizes = []
    for n in range(1, 5):
        AgentRequestFactory.create(
            workspace=workspace, agent=agent, session_id="s", message=f"say={'long' * 500} tools=2 tool=echo n{n}"
        )
        [agent_request] = run_requests()
        sizes.append(sum(len(str(event.payload)) for event in agent_request.events.all()))
    assert max(sizes[1:]) - min(sizes[1:]) < 200, sizes


def test_a_tool_is_told_who_calls(run_script, workspace: Workspace) -> None:
    tools.calls.clear()
    agent_request = run_script("tools=2 tool=echo")
    assert len(tools.calls) == 2
    assert all(key.startswith(f"{agent_request.request_id}:") for key in tools.calls)
    assert len(set(tools.calls)) == 2


def test_a_secret_key_is_nowhere_in_the_log(run_script) -> None:
    agent_request = run_script("fail=401")
    texts = [str(event.payload) for event in agent_request.events.all()]
    assert "sk-test" not in "".join(texts) + str(agent_request.error)
