"""What is computed from the events of one trace, against the contract's own words (3.8, 3.9)."""

from typing import Any

from runtime.traces.projection import build_runtime_trace
from runtime.traces.reasoning import build_reasoning_trace
from runtime.traces.serialise import EventRow


def event(kind: str, place: int = 1, /, **values: Any) -> EventRow:
    payload = values.pop("payload", {})
    row: dict[str, Any] = {
        "event_id": place,
        "request_id": "r",
        "request_seq": place,
        "trace_id": "t",
        "app_id": "primary",
        "agent_id": "primary",
        "session_id": "s-1",
        "event_type": kind,
        "loop_index": None,
        "step_key": None,
        "payload": payload,
        "created_at": 100.0 + place,
    }
    return EventRow(**(row | values))  # type: ignore[typeddict-item]  # of exactly these keys


def thought(index: int, action: str, *calls: dict[str, Any], text: str | None = None) -> EventRow:
    payload = {
        "action_type": action,
        "assistant_text": text,
        "tool_calls": [{"id": f"c{place}", **call} for place, call in enumerate(calls)],
        "token_usage": {"input": 900, "output": 30},
        "duration_ms": 1200,
    }
    return event("runtime.llm.think.completed", loop_index=index, payload=payload)


def tool(index: int, name: str, *, ms: int = 45, is_error: bool = False) -> EventRow:
    payload = {"tool_name": name, "duration_ms": ms, "result": {"content": "", "is_error": is_error, "metadata": {}}}
    return event("runtime.tool.call.completed", loop_index=index, payload=payload)


def committed(index: int, *, ms: int = 50) -> EventRow:
    return event("runtime.step.completed", loop_index=index, payload={"duration_ms": ms})


COMPLETED = event("runtime.request.completed", payload={"response": {"text": "hello"}})
FAILED = event("runtime.request.failed", payload={"error": "no", "error_type": "RuntimeError", "error_code": "x"})


def test_the_contracts_example() -> None:
    bash = {"name": "bash", "arguments": {"command": "ls"}}
    trace = build_reasoning_trace(
        [thought(0, "tool_call", bash, text="Let me look"), tool(0, "bash"), committed(0), FAILED]
    )
    assert trace == {
        "status": "error",
        "steps": [
            {
                "step": 1,
                "step_index": 0,
                "action_type": "tool_call",
                "title": "Calling tools: bash",
                "assistant_text": "Let me look",
                "tool_calls": [{"name": "bash", "arguments": {"command": "ls"}, "preview": "$ ls"}],
                "token_usage": {"input": 900, "output": 30},
                "think_duration_ms": 1200,
                "act_duration_ms": 45,
                "total_duration_ms": 50,
            }
        ],
        "summary": {"total_steps": 1, "total_tools": 1, "total_tokens": 930, "total_duration_ms": 50},
        "error": {"message": "no", "error_type": "RuntimeError"},
    }


def test_an_unknown_trace_is_empty_and_in_progress() -> None:
    assert dict(build_reasoning_trace([])) == {
        "status": "in_progress",
        "steps": [],
        "summary": {"total_steps": 0, "total_tools": 0, "total_tokens": 0, "total_duration_ms": 0},
    }
    empty = build_runtime_trace([])
    assert (empty["status"], empty["started_at"], empty["duration_ms"], empty["trace_id"]) == (
        "in_progress",
        0,
        0,
        None,
    )


def test_titles_say_what_a_step_does() -> None:
    two = ({"name": "a", "arguments": {}}, {"name": "b", "arguments": {}})
    steps = [thought(0, "tool_call", *two), thought(1, "response"), thought(2, "finish"), thought(3, "tool_call")]
    titles = [step["title"] for step in build_reasoning_trace(steps)["steps"]]
    assert titles == ["Calling tools: a, b", "Generating response", "Finishing execution", "Action: tool_call"]


def test_previews_are_short() -> None:
    def preview(name: str, **arguments: Any) -> str:
        [step] = build_reasoning_trace([thought(0, "tool_call", {"name": name, "arguments": arguments})])["steps"]
        return step["tool_calls"][0]["preview"]

    assert preview("bash", command="x" * 80) == f"$ {'x' * 80}"
    assert preview("bash", command="x" * 81) == f"$ {'x' * 77}..."
    assert preview("now") == "now"
    assert preview("find", word="cat", limit=3) == "find(word=cat, limit=3)"
    assert preview("find", a="y" * 40, b="z" * 41) == f"find(a={'y' * 40}, b={'z' * 37}...)"
    assert preview("find", a=1, b=2, c=3, d=4) == "find(a=1, b=2, +2 more)"


def test_durations_fall_back_to_what_is_known() -> None:
    call = {"name": "a", "arguments": {}}
    trace = build_reasoning_trace([thought(0, "tool_call", call), tool(0, "a"), tool(7, "a", ms=5)])
    [step] = trace["steps"]
    assert (step["act_duration_ms"], step["total_duration_ms"]) == (50, None)
    assert (trace["status"], trace["summary"]["total_duration_ms"]) == ("in_progress", 1250)
    assert "error" not in trace


def test_a_resumed_trace_goes_on() -> None:
    cancelled = event("runtime.request.cancelled", payload={"reason": "cancelled", "by": "ada"})
    assert build_reasoning_trace([cancelled])["error"]["error_type"] == "RequestCancelled"
    resumed = event("runtime.request.resumed")
    assert build_reasoning_trace([cancelled, resumed])["status"] == "in_progress"
    assert "error" not in build_reasoning_trace([FAILED, resumed, COMPLETED])


def test_the_projection_counts_each_thing_once() -> None:
    trace = build_runtime_trace(
        [
            event("runtime.trace.started", 1, payload={"message": "hi"}),
            event("agent.think.complete", 2, payload={"token_usage": {"input": 900, "output": 30}}),
            event("llm.request.complete", 3, payload={"input_tokens": 900, "output_tokens": 30}),
            thought(0, "tool_call"),
            event("agent.tool.call", 5, payload={"payload": {"tool_name": "a"}}),
            tool(0, "a"),
            tool(0, "b", is_error=True),
            committed(0),
            thought(1, "finish"),
            committed(1),
            event("runtime.request.completed", 9, payload={"response": {"text": "hello"}}),
        ]
    )
    assert (trace["user_message"], trace["assistant_response"], trace["status"]) == ("hi", "hello", "completed")
    assert (trace["tools_called"], trace["tool_call_count"], trace["tool_error_count"]) == (["a", "b"], 2, 1)
    assert (trace["step_count"], trace["input_tokens"], trace["output_tokens"]) == (2, 1800, 60)
    assert (trace["started_at"], trace["latest_event_at"], trace["duration_ms"]) == (101.0, 109.0, 8000.0)
    assert (trace["target_agent_id"], trace["session_id"], trace["trace_id"]) == ("primary", "s-1", "t")
    assert trace["failed_events"] == []


def test_the_projection_reads_nested_payloads_too() -> None:
    trace = build_runtime_trace(
        [
            event("agent.run.start", payload={"step_id": 0, "payload": {"user_message": "hi"}}),
            event("agent.tool.call", payload={"payload": {"tool_name": "a"}}),
            event("agent.run.complete", payload={"payload": {"assistant_response": "hello"}}),
            event("llm.request.error", payload={"error": "down"}),
            event("x", payload={"payload": {"status": "failed"}}),
        ]
    )
    assert (trace["user_message"], trace["assistant_response"]) == ("hi", "hello")
    assert (trace["tools_called"], trace["tool_call_count"]) == (["a"], 1)
    assert [(failure["event_type"], failure["error"]) for failure in trace["failed_events"]] == [
        ("llm.request.error", "down"),
        ("x", None),
    ]
