"""Appendix A: what the log says of a turn, and that it says nothing where telemetry is switched off."""

import pytest
from pytest_django.fixtures import Settings

from agents.models import Agent
from tests.conformance.conftest import Client, payloads
from tests.house.test_every_url import routes
from tests.web import Web


@pytest.mark.appendix_a("A31")
def test_a31_a_tool_turn_is_told_step_by_step(primary: Agent, client: Client) -> None:
    frames = client.turn('tools=1 calls=2 tool=echo args={"text": "%s"} say=done' % ("x" * 50))
    trace_id = frames[-1].data["trace_id"]
    about = {"agent_id": "primary", "session_id": "s-1", "trace_id": trace_id}
    query = "&".join(f"{name}={value}" for name, value in about.items())
    trace = client.get(f"telemetry/reasoning-trace?{query}")
    assert about.items() <= trace.items()
    assert trace["status"] == "completed"
    assert "error" not in trace

    thoughts = payloads(frames, "runtime.llm.think.completed")
    tools = payloads(frames, "runtime.tool.call.completed")
    commits = payloads(frames, "runtime.step.completed")
    call = {"name": "echo", "arguments": {"text": "x" * 50}, "preview": f"echo(text={'x' * 37}...)"}
    calling, answering = trace["steps"]
    assert calling == {
        "step": 1,
        "step_index": 0,
        "action_type": "tool_call",
        "title": "Calling tools: echo, echo",
        "assistant_text": thoughts[0]["assistant_text"],
        "tool_calls": [call, call],
        "token_usage": thoughts[0]["token_usage"],
        "think_duration_ms": thoughts[0]["duration_ms"],
        "act_duration_ms": sum(tool["duration_ms"] for tool in tools),
        "total_duration_ms": commits[0]["duration_ms"],
    }
    assert (answering["title"], answering["tool_calls"]) == ("Finishing execution", [])
    spent = sum(sum(thought["token_usage"].values()) for thought in thoughts)
    assert spent == sum(frames[-1].data["response"]["metadata"]["token_usage"].values()), "Each call counts once."
    assert trace["summary"] == {
        "total_steps": 2,
        "total_tools": 2,
        "total_tokens": spent,
        "total_duration_ms": sum(commit["duration_ms"] for commit in commits),
    }


@pytest.mark.appendix_a("A34")
def test_a34_telemetry_that_is_switched_off_says_so_everywhere(web: Web, primary: Agent, settings: Settings) -> None:
    settings.MASH_OBSERVABILITY_ENABLED = False
    asked = [route for route in routes() if route.pattern.startswith("api/v1/telemetry/")]
    assert {route.pattern.removeprefix("api/v1/telemetry/") for route in asked} >= {
        "events",
        "events/stream",
        "reasoning-trace",
        "memory/search",
    }
    for route in asked:
        answer = web.call(route.method, f"/{route.pattern}?agent_id=primary")
        assert (answer.status, answer.json()["error"]["code"]) == (503, "OBSERVABILITY_DISABLED"), route
    assert web.get("/api/v1/health").json()["data"]["observability"]["enabled"] is False
