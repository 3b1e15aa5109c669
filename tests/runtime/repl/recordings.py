"""Events as a deployment sends them for ordinary and for odd requests."""

import time
from typing import Any

from tests.runtime.repl.fake_host import REQUEST_ID, RETRY, frame

Event = tuple[str, dict[str, Any]]
COMMON = {"request_id": REQUEST_ID, "agent_id": "primary", "session_id": "s-1"}


def trace(kind: str, payload: dict[str, Any], *, loop_index: int = 0, trace_id: str = "t-1") -> dict[str, Any]:
    return {"event_type": kind, "trace_id": trace_id, "session_id": "s-1", "loop_index": loop_index, "payload": payload}


def think(
    action: str, text: str | None, calls: list[dict[str, Any]], *, loop_index: int = 0, ms: int = 1200
) -> dict[str, Any]:
    payload = {
        "action_type": action,
        "assistant_text": text,
        "tool_calls": calls,
        "token_usage": {"input": 900, "output": 130},
        "duration_ms": ms,
    }
    return trace("runtime.llm.think.completed", payload, loop_index=loop_index)


def completed(text: str) -> tuple[str, dict[str, Any]]:
    return "request.completed", {**COMMON, "status": "completed", "response": {"text": text}}


TOOL_DONE = trace(
    "runtime.tool.call.completed",
    {"tool_name": "bash", "duration_ms": 45, "result": {"content": "x", "is_error": False}},
)
TOOL_TURN: list[Event] = [
    ("request.accepted", {**COMMON, "status": "accepted"}),
    ("request.started", {**COMMON, "status": "started"}),
    (
        "agent.trace",
        think("tool_call", "Let me look", [{"id": "c1", "name": "bash", "arguments": {"command": "ls"}}]),
    ),
    ("agent.trace", TOOL_DONE),
    ("agent.trace", trace("runtime.step.completed", {"duration_ms": 1250})),
    ("agent.trace", think("response", "There are **two** files.", [], loop_index=1, ms=300)),
    completed("There are **two** files."),
]


def frames(events: list[Event], *, first: int = 1) -> bytes:
    return RETRY + b"".join(frame(number, name, data) for number, (name, data) in enumerate(events, start=first))


CALL = {"id": "c1", "name": "guarded", "arguments": {"text": "precious"}}


def asking(kind: str = "approval", *, interaction_id: str = "itr_1", **values: Any) -> dict[str, Any]:
    """What `request.interaction.create` says."""
    prompts = {"approval": "primary wants to run guarded.", "choice": "Which drink?", "info": "Your name?"}
    question = {"interaction_id": interaction_id, "kind": kind, "prompt": prompts[kind], "options": [], "schema": None}
    calls = [CALL] if kind == "approval" else []
    deadline = time.time() + 300
    return {**COMMON, "status": "paused", **question, "tool_calls": calls, "deadline": deadline, **values}


def settled(response: Any, *, interaction_id: str = "itr_1", **values: Any) -> dict[str, Any]:
    """What `request.interaction.ack` says."""
    about = {"interaction_id": interaction_id, "state": "answered", "response": response, "note": "", "by": "alice"}
    return {**COMMON, "status": "paused", **about, **values}


def mirror(name: str, data: dict[str, Any], *, is_nested: bool = False) -> Event:
    """The same as the parent's log tells it."""
    payload: dict[str, Any] = {"agent_id": "research", "event": name, "data": data}
    return "agent.trace", trace(f"subagent.{name}", {"payload": payload} if is_nested else payload)
