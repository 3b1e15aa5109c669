"""Appendix A: what a parent gets from its subagents."""

import json
import time
from typing import Any

import pytest

from agents.models import Agent
from tests.conformance.conftest import Client, kind_of, payloads
from tests.conftest import AgentMaker, Stepper
from workspaces.models import Workspace

SESSION = "subagent:research:ab1a49c3c907282c7c1ea448"
FOUR_KEYS = {
    "primary_session_id": "s-1",
    "primary_app_id": "primary",
    "subagent_id": "research",
    "subagent_invoke_opts": {"timeout_ms": 60_000},
}


def delegating(prompt: str, *, timeout_ms: int = 60_000) -> str:
    """The message upon which the scripted model hands the prompt to `research`."""
    arguments = {"agent_id": "research", "prompt": prompt, "opts": {"timeout_ms": timeout_ms}}
    return f"tools=1 tool=InvokeSubagent args={json.dumps(arguments)} say=done"


@pytest.fixture
def research(make_agent: AgentMaker, primary: Agent) -> Agent:
    return make_agent(row={"agent_id": "research"}, description="Finds things.", max_steps=1)


@pytest.mark.appendix_a("A18")
def test_a18_a_subagent_works_in_a_session_and_a_log_of_its_own(research: Agent, client: Client) -> None:
    frames = client.turn(delegating("say=found"))
    kinds = [kind_of(frame) for frame in frames]
    mirrored = [kind for kind in kinds if kind.startswith("subagent.")]
    assert mirrored[:2] == ["subagent.request.accepted", "subagent.request.started"]
    assert set(mirrored[2:-1]) == {"subagent.agent.trace"}
    assert mirrored[-1] == "subagent.request.completed"
    assert kinds.index("agent.tool.call") < kinds.index(mirrored[0])
    assert kinds.index(mirrored[-1]) < kinds.index("agent.tool.result")
    assert kinds.index("agent.tool.result") < kinds.index("runtime.subagent.call.completed")

    [turn] = client.history(agent_id="research", session_id=SESSION)
    assert (turn["user_message"], turn["agent_response"]) == ("say=found", "found")
    assert FOUR_KEYS.items() <= turn["metadata"].items()
    [mirror] = payloads(frames, "subagent.request.completed")
    assert (mirror["agent_id"], mirror["subagent_session_id"]) == ("research", SESSION)
    assert mirror["payload"]["data"]["response"]["text"] == "found"
    child = client.frames(mirror["request_id"], agent_id="research")
    assert child[-1].data == mirror["payload"]["data"]

    own = sum(sum(thought["token_usage"].values()) for thought in payloads(frames, "runtime.llm.think.completed"))
    assert frames[-1].data["session_total_tokens"] == own
    assert client.get("agent/primary/sessions/s-1")["session_total_tokens"] == own
    childs = client.get(f"agent/research/sessions/{SESSION}")["session_total_tokens"]
    assert childs == sum(turn["metadata"]["token_usage"].values()) > 0


@pytest.mark.appendix_a("A19")
@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("fail=empty", {"error_source": "subagent_response", "error_code": "empty_response", "retryable": False}),
        (
            "tools=9 tool=echo",
            {"error_source": "subagent_response", "error_code": "max_steps_exceeded", "retryable": False},
        ),
        ("say=late", {"error_source": "timeout"}),
    ],
)
def test_a19_an_answer_that_is_none_is_told_by_its_code(
    research: Agent, client: Client, workspace: Workspace, run_once: Stepper, prompt: str, expected: dict[str, Any]
) -> None:
    if is_late := expected["error_source"] == "timeout":
        request_id = client.submit(delegating(prompt, timeout_ms=50))
        parent = workspace.agent_requests.get(request_id=request_id)
        run_once(parent)
        time.sleep(0.1)
        run_once(parent)
        frames = client.frames(request_id)
    else:
        frames = client.turn(delegating(prompt))
    [payload] = payloads(frames, "runtime.subagent.call.completed")
    told = json.loads(payload["result"]["content"])
    assert payload["result"]["is_error"]
    assert expected.items() <= told.items()
    assert ("error_code" in told) != is_late
    assert frames[-1].data["response"]["text"] == "done"
