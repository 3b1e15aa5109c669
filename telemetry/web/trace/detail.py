"""One span looked at closely: what went in and came out, read only for the one that is asked for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.kinds import EventKind
from runtime.mirrors import fetch_mirrored
from runtime.models import AgentRequest, RuntimeEvent
from runtime.public import shown_payload
from telemetry.show.spans import Span

_MOST_EVENTS = 200
_MOST_RAW = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanDetail:
    span: Span
    events: list[RuntimeEvent]
    text: str = ""
    """What a model said or a tool answered, when that is text."""
    is_error: bool = False
    arguments: Any = None
    tool_calls: list[Mapping[str, Any]] = field(default_factory=list)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def raw(self) -> str:
        """Every event whole, as JSON; empty when that is too much for a page."""
        rows = [
            {"sequence": event.sequence, "type": event.event_type, "payload": event.payload} for event in self.events
        ]
        text = json.dumps(rows, indent=1, ensure_ascii=False)
        return text if len(text) <= _MOST_RAW else ""


def read_detail(agent_request: AgentRequest, span: Span) -> SpanDetail:
    """With the events from the one that began it to the one that ended it, as far as they are its own."""
    last = span.last if span.ended else agent_request.last_sequence
    log = agent_request.events.filter(sequence__gte=span.first, sequence__lte=last)
    if span.loop_index is not None:
        log = log.filter(loop_index=span.loop_index)
    events = [event for event in log.order_by("sequence")[:_MOST_EVENTS] if _is_of(event, span)]
    fetch_mirrored(agent_request.workspace, events)
    for event in events:
        event.payload = shown_payload(event)
    return _read(span, events)


def _is_of(event: RuntimeEvent, span: Span) -> bool:
    """Parallel calls interleave: a tool's span has the events of its own call only, and so has a step's."""
    if span.path:
        return bool(event.payload.get("path") == span.path)
    if span.kind not in {"tool", "subagent"}:
        return True
    return _call_id(event.payload) in {None, span.call_id}


def _call_id(payload: Mapping[str, Any]) -> str | None:
    nested = payload.get("payload")
    return payload.get("tool_call_id") or (nested.get("tool_call_id") if isinstance(nested, dict) else None)


def _read(span: Span, events: list[RuntimeEvent]) -> SpanDetail:
    by_kind = {event.event_type: event.payload for event in events}
    if thought := by_kind.get(EventKind.THINK_COMPLETED):
        names = ("provider", "model", "stop_reason", "action_type", "duration_ms", "price", "cost_usd")
        return SpanDetail(
            span=span,
            events=events,
            text=thought.get("assistant_text") or "",
            tool_calls=thought.get("tool_calls") or [],
            usage=thought.get("usage") or {},
            attributes={
                **{name: thought.get(name) for name in names},
                **{key: by_kind.get(EventKind.LLM_REQUEST_START, {}).get(key) for key in ("tools", "payload")},
            },
        )
    if failed := by_kind.get(EventKind.LLM_REQUEST_ERROR):
        attributes = {name: failed.get(name) for name in ("provider", "model", "error_code", "duration_ms")}
        return SpanDetail(span=span, events=events, text=failed.get("partial_text") or "", attributes=attributes)
    if begun := by_kind.get(EventKind.WORKFLOW_STEP_STARTED):
        return _step(span, events, begun, by_kind.get(EventKind.WORKFLOW_STEP_COMPLETED) or {})
    done = by_kind.get(EventKind.TOOL_COMPLETED) or by_kind.get(EventKind.SUBAGENT_COMPLETED) or {}
    result = done.get("result") or {}
    started = by_kind.get(EventKind.TOOL_STARTED) or {}
    return SpanDetail(
        span=span,
        events=events,
        text=str(result.get("content") or ""),
        is_error=bool(result.get("is_error")),
        arguments=started.get("tool_arguments"),
        attributes={
            name: value
            for name, value in (("duration_ms", done.get("duration_ms")), ("metadata", result.get("metadata")))
            if value
        },
    )


def _step(span: Span, events: list[RuntimeEvent], begun: Mapping[str, Any], ended: Mapping[str, Any]) -> SpanDetail:
    """Of a workflow's run: its input as arguments, its output as what came of it."""
    output = json.dumps(ended["output"], ensure_ascii=False) if ended.get("output") is not None else ""
    attributes = {name: begun.get(name) for name in ("step", "kind", "attempt")}
    attributes |= {name: ended[name] for name in ("duration_ms", "request_id", "taken_from") if ended.get(name)}
    return SpanDetail(span=span, events=events, text=output, arguments=begun.get("input"), attributes=attributes)
