"""A trace in one row of figures (contract 3.8): a pure function of serialised events."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypedDict

from runtime.kinds import EventKind
from runtime.traces.reasoning import TOOL_EVENTS, TraceStatus, status_of
from runtime.traces.serialise import EventRow

_TOOL_NAMES = ("tool_name", "tool", "name", "command_name")
_FAILED = (EventKind.REQUEST_FAILED, "runtime.step.failed")


class RuntimeTrace(TypedDict):
    target_agent_id: str | None
    session_id: str | None
    trace_id: str | None
    started_at: float
    latest_event_at: float
    duration_ms: float
    status: TraceStatus
    user_message: str | None
    assistant_response: str | None
    tools_called: list[str]
    tool_call_count: int
    tool_error_count: int
    step_count: int
    input_tokens: int
    output_tokens: int
    failed_events: list[dict[str, Any]]
    event_count: int


def build_runtime_trace(events: Sequence[EventRow]) -> RuntimeTrace:
    """Of the events of one (agent, session, trace), in order."""
    started = min((event["created_at"] for event in events), default=0.0)
    latest = max((event["created_at"] for event in events), default=0.0)
    tools = _tool_events(events)
    return RuntimeTrace(
        target_agent_id=_first(event["agent_id"] for event in events),
        session_id=_first(event["session_id"] for event in events),
        trace_id=_first(event["trace_id"] for event in events),
        started_at=started,
        latest_event_at=latest,
        duration_ms=round((latest - started) * 1000, 3),
        status=status_of(events),
        user_message=_user_message(events),
        assistant_response=_assistant_response(events),
        tools_called=list(dict.fromkeys(name for event in tools if (name := _tool_name(event)))),
        tool_call_count=len(tools),
        tool_error_count=sum(_is_tool_error(event) for event in tools),
        step_count=_step_count(events),
        input_tokens=_tokens(events, "input"),
        output_tokens=_tokens(events, "output"),
        failed_events=[_failure(event) for event in events if _has_failed(event)],
        event_count=len(events),
    )


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value and value.strip()), None)


def _of_type(events: Sequence[EventRow], *kinds: str) -> list[EventRow]:
    return [event for event in events if event["event_type"] in kinds]


def _texts(events: Sequence[EventRow], *names: str) -> Iterator[str]:
    """What these events say under one of the names, flat or in the nested payload of structured events."""
    found = (part.get(name) for event in events for part in _parts(event) for name in names)
    return (text for text in found if isinstance(text, str) and text)


def _parts(event: EventRow) -> list[dict[str, Any]]:
    nested = event["payload"].get("payload")
    return [event["payload"], nested] if isinstance(nested, dict) else [event["payload"]]


def _user_message(events: Sequence[EventRow]) -> str | None:
    return _first(
        chain(
            _texts(_of_type(events, EventKind.TRACE_STARTED), "message"),
            _texts(_of_type(events, EventKind.AGENT_RUN_START), "user_message"),
            _texts(events, "message"),
        )
    )


def _assistant_response(events: Sequence[EventRow]) -> str | None:
    completed = _of_type(events, EventKind.REQUEST_COMPLETED)
    answered = ((event["payload"].get("response") or {}).get("text") for event in reversed(completed))
    return _first(
        chain(
            answered,
            _texts(_of_type(events, EventKind.AGENT_RUN_COMPLETE)[::-1], "assistant_response"),
            _texts(events, "agent_response", "assistant_response"),
        )
    )


def _tool_events(events: Sequence[EventRow]) -> list[EventRow]:
    completed = _of_type(events, *TOOL_EVENTS)
    others = (event for event in events if ".tool." in event["event_type"] or "tool_name" in event["payload"])
    return completed or list(others)


def _tool_name(event: EventRow) -> str | None:
    return next(chain.from_iterable(_texts([event], name) for name in _TOOL_NAMES), None)


def _is_tool_error(event: EventRow) -> bool:
    result = event["payload"].get("result")
    flags = [*_parts(event), result] if isinstance(result, dict) else _parts(event)
    return any(part.get("is_error") is True for part in flags)


def _step_count(events: Sequence[EventRow]) -> int:
    steps = _of_type(events, EventKind.STEP_COMPLETED)
    indexes = {event["loop_index"] for event in steps if event["loop_index"] is not None}
    return len(indexes) or len(steps)


def _tokens(events: Sequence[EventRow], name: str) -> int:
    thoughts = _of_type(events, EventKind.THINK_COMPLETED)
    return sum((event["payload"].get("token_usage") or {}).get(name) or 0 for event in thoughts)


def _has_failed(event: EventRow) -> bool:
    kind = event["event_type"]
    return (
        kind in _FAILED
        or "error" in kind
        or "fail" in kind
        or any(part.get("status") in {"error", "failed"} for part in _parts(event))
    )


def _failure(event: EventRow) -> dict[str, Any]:
    return {
        "event_id": event["event_id"],
        "event_type": event["event_type"],
        "created_at": event["created_at"],
        "error": next(_texts([event], "error", "message"), None),
    }
