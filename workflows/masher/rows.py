"""What is kept of a trace: pure functions of its projection."""

from typing import Any, Literal

from runtime.traces.projection import RuntimeTrace

SCHEMA_VERSION = 1
MOST_NOTABLE = 5
Kind = Literal["digest", "eval"]


def digest_row(trace: RuntimeTrace) -> dict[str, Any]:
    """Diagnosis of a trace: figures, and the first failed events."""
    failed = trace["failed_events"]
    return {
        **_key(trace),
        "status": "failed" if failed else "ok",
        "summary": _summary(trace),
        "metrics": {
            name: trace[name]
            for name in (
                "event_count",
                "duration_ms",
                "tool_call_count",
                "tool_error_count",
                "step_count",
                "input_tokens",
                "output_tokens",
            )
        },
        "notable_events": [
            {
                "event_id": event["event_id"],
                "event_type": event["event_type"],
                "created_at": event["created_at"],
                "summary": event["error"] or event["event_type"],
            }
            for event in failed[:MOST_NOTABLE]
        ],
    }


def eval_row(trace: RuntimeTrace) -> dict[str, Any]:
    """One row of a dataset: what was asked and answered, without a judgement."""
    return {
        **_key(trace),
        "user_message": trace["user_message"],
        "assistant_response": trace["assistant_response"],
        "tools_called": trace["tools_called"],
        "tool_call_count": trace["tool_call_count"],
        "step_count": trace["step_count"],
        "input_tokens": trace["input_tokens"],
        "output_tokens": trace["output_tokens"],
    }


def _key(trace: RuntimeTrace) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "target_agent_id": trace["target_agent_id"],
        "session_id": trace["session_id"],
        "trace_id": trace["trace_id"],
    }


def _summary(trace: RuntimeTrace) -> str:
    return (
        f"Trace {trace['trace_id']} of {trace['target_agent_id']} has {trace['event_count']} events,"
        f" {trace['tool_call_count']} of tools, and {len(trace['failed_events'])} that failed."
    )
