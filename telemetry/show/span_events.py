"""What each event of a request's log does to its spans: a pure fold, one event at a time.

Folding the events that a page has and then the ones that came since gives what folding all of them gives, so a stream can
send just the difference.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from agents.tools.subagent import INVOKE_SUBAGENT
from runtime.kinds import TERMINAL_EVENTS, EventKind
from telemetry.show.log import LogLine
from telemetry.show.spans import ROOT, SUBAGENT_WAIT, Kind, Trace

_PREVIEW = 160
# What goes on elsewhere, or with a person, looks like that in every trace.
_STEP_KINDS: Mapping[str, Kind] = {"agent": "subagent", "workflow": "subagent", "human": "wait", "wait": "wait"}


def fold_event(trace: Trace, line: LogLine) -> None:
    """The next event of the log."""
    trace.sequence, trace.latest_at = line.sequence, line.at
    trace.accepted_at = trace.accepted_at or line.at
    if handle := _HANDLERS.get(line.event_type):
        handle(trace, line)


def trace_of(log: Iterable[LogLine]) -> Trace:
    trace = Trace()
    for line in log:
        fold_event(trace, line)
    return trace


def _accepted(trace: Trace, line: LogLine) -> None:
    trace.begin("request", line, "request", "Request", 0)
    trace.begin("queue", line, "queue", "Queued", 1)


def _started(trace: Trace, line: LogLine) -> None:
    trace.end("queue", line)
    trace.end("wait", line)


def _waiting(trace: Trace, line: LogLine) -> None:
    if span := trace.going_on("queue"):
        span.note = str(line.payload.get("reason", "")).replace("_", " ")


def _asked(trace: Trace, line: LogLine) -> None:
    trace.end("wait", line)
    name = str(line.payload.get("model") or "model")
    kind: Kind = "model" if line.loop_index is not None else "summary"
    if kind == "summary":
        name = f"Summary by {name}"
    trace.begin("model", line, kind, name, 1, note=str(line.payload.get("provider") or ""))


def _failed_call(trace: Trace, line: LogLine) -> None:
    if span := trace.going_on("model"):
        span.error, span.preview = _text(line.payload.get("error")), _text(line.payload.get("partial_text"))


def _retry(trace: Trace, line: LogLine) -> None:
    """The failed attempt ends here; its pause is a span, and the next attempt begins with it."""
    failed = trace.end("model", line)
    if failed:
        failed.error = failed.error or _text(line.payload.get("error"))
        wait = f"again in {float(line.payload.get('delay_s') or 0):.1f} s"
        trace.begin("model", line, failed.kind, failed.name, 1, note=f"attempt {_next(line)}, {wait}")


def _next(line: LogLine) -> int:
    return int(line.payload.get("attempt") or 1) + 1


def _fallback(trace: Trace, line: LogLine) -> None:
    failed = trace.end("model", line)
    if failed:
        failed.error = failed.error or _text(line.payload.get("error"))
    name = str((line.payload.get("to") or {}).get("model") or "fallback")
    trace.begin("model", line, "model", name, 1, note="fallback")


def _answered(trace: Trace, line: LogLine) -> None:
    """The provider has answered: the call is over, and what it used comes with the next event."""
    if span := trace.going_on("model"):
        span.ended, span.last, span.error = line.at, line.sequence, ""
        span.input_tokens = line.payload.get("input_tokens")
        span.output_tokens = line.payload.get("output_tokens")


def _thought(trace: Trace, line: LogLine) -> None:
    span = trace.end("model", line) or trace.begin("model", line, "model", "model", 1)
    trace.open.pop("model", None)
    span.last, span.cost_usd = line.sequence, line.payload.get("cost_usd")
    usage = line.payload.get("usage") or {}
    span.input_tokens, span.output_tokens = usage.get("input_tokens"), usage.get("output_tokens")
    calls = [str(call.get("name")) for call in line.payload.get("tool_calls") or [] if isinstance(call, dict)]
    span.preview = _text(line.payload.get("assistant_text")) or ", ".join(calls)
    span.name = str(line.payload.get("model") or span.name)


def _summed_up(trace: Trace, line: LogLine) -> None:
    if span := trace.end("model", line):
        usage = line.payload.get("usage") or {}
        span.input_tokens, span.output_tokens = usage.get("input_tokens"), usage.get("output_tokens")
        span.cost_usd = line.payload.get("cost_usd")


def _tool_started(trace: Trace, line: LogLine) -> None:
    trace.end("wait", line)
    name, arguments = str(line.payload.get("tool_name") or "tool"), line.payload.get("tool_arguments") or {}
    is_child = name == INVOKE_SUBAGENT
    shown = f"{arguments.get('agent_id', 'subagent')}" if is_child else name
    preview = _text(arguments.get("prompt")) if is_child else _arguments(arguments)
    role = f"call:{line.loop_index}.{line.payload.get('tool_call_id')}"
    call_id = str(line.payload.get("tool_call_id") or "")
    trace.begin(role, line, "subagent" if is_child else "tool", shown, 2, preview=preview, call_id=call_id)


def _tool_ended(trace: Trace, line: LogLine) -> None:
    role = f"call:{line.loop_index}.{line.payload.get('tool_call_id')}"
    result = line.payload.get("result") or {}
    span = trace.end(role, line)
    if span is None:
        # It was refused, or does not exist, so it never began.
        span = trace.begin(role, line, "tool", str(line.payload.get("tool_name") or "tool"), 2)
        trace.end(role, line)
    if result.get("is_error"):
        span.error = _text(result.get("content")) or "failed"
    if span.kind == "subagent":
        span.child = str((result.get("metadata") or {}).get("request_id") or span.child)


def _interrupted(trace: Trace, line: LogLine) -> None:
    if span := trace.end(f"call:{line.loop_index}.{line.payload.get('tool_call_id')}", line):
        span.error = "interrupted: its outcome is unknown"


def _mirrored(trace: Trace, line: LogLine) -> None:
    """A subagent's request is known by the first of its events that is told here."""
    child = str(line.payload.get("request_id") or "")
    for key in trace.open.values():
        span = trace.spans[key]
        if span.kind == "subagent" and not span.child and span.name == line.payload.get("agent_id"):
            span.child = child
            return


def _paused(trace: Trace, line: LogLine) -> None:
    reason = str(line.payload.get("reason") or "")
    words = {"interaction": "Waiting for a person", "subagent": SUBAGENT_WAIT, "timer": "Waiting for a time"}
    trace.begin("wait", line, "wait", words.get(reason, "Waiting"), 1)


def _went_on(trace: Trace, line: LogLine) -> None:
    trace.end("wait", line)


def _asked_person(trace: Trace, line: LogLine) -> None:
    role = f"question:{line.payload.get('interaction_id')}"
    trace.begin(role, line, "wait", "Question to a person", 2, preview=_text(line.payload.get("prompt")))


def _person_answered(trace: Trace, line: LogLine) -> None:
    if span := trace.end(f"question:{line.payload.get('interaction_id')}", line):
        answer = line.payload.get("response")
        span.note = _text(f"{line.payload.get('state')}: {answer}" if answer else line.payload.get("state"))


def _step_started(trace: Trace, line: LogLine) -> None:
    """A step of a workflow's run; its path says where it stands: `each/3/fetch`."""
    trace.end("wait", line)
    path, attempt = str(line.payload.get("path") or ""), int(line.payload.get("attempt") or 1)
    kind = _STEP_KINDS.get(str(line.payload.get("kind")), "step")
    note = str(line.payload.get("kind") or "") + (f", attempt {attempt}" if attempt > 1 else "")
    preview = _text(json.dumps(line.payload.get("input"), ensure_ascii=False)) if "input" in line.payload else ""
    depth = 1 + path.count("/")
    trace.begin(f"step:{path}", line, kind, path, depth, preview=preview, note=note, path=path)


def _step_ended(trace: Trace, line: LogLine) -> None:
    path = str(line.payload.get("path") or "")
    span = trace.end(f"step:{path}", line)
    if span is None:
        # It could not begin, or was taken over from another run.
        span = trace.begin(f"step:{path}", line, "step", path, 1 + path.count("/"), path=path)
        trace.end(f"step:{path}", line)
    if line.event_type == EventKind.WORKFLOW_STEP_FAILED:
        span.error = _text(line.payload.get("error")) or "failed"
    elif line.event_type == EventKind.WORKFLOW_STEP_SKIPPED:
        span.note = "skipped"
    else:
        span.preview = _text(json.dumps(line.payload.get("output"), ensure_ascii=False))
        span.child = str(line.payload.get("request_id") or span.child)


def _signalled(trace: Trace, line: LogLine) -> None:
    trace.end("wait", line)


def _recovered(trace: Trace, line: LogLine) -> None:
    """A worker was lost: what it was doing is over, and somebody else goes on."""
    for role in [role for role in trace.open if role == "model"]:
        if span := trace.end(role, line):
            span.error = "the worker was lost"


def _resumed(trace: Trace, line: LogLine) -> None:
    trace.is_over = False
    trace.run += 1
    if span := trace.spans.get(ROOT):
        span.ended, trace.open["request"] = None, span.key
    trace.begin("queue", line, "queue", f"Queued, run {trace.run}", 1)


def _over(trace: Trace, line: LogLine) -> None:
    errors = {
        EventKind.REQUEST_FAILED: _text(line.payload.get("error")) or "failed",
        EventKind.REQUEST_CANCELLED: "cancelled",
    }
    trace.end_all(line, errors.get(EventKind(line.event_type), ""))
    if root := trace.spans.get(ROOT):
        root.error = errors.get(EventKind(line.event_type), "")
    trace.is_over = True


def _arguments(arguments: Any) -> str:
    if not isinstance(arguments, Mapping):
        return ""
    return _text(", ".join(f"{name}={value}" for name, value in list(arguments.items())[:4]))


def _text(value: Any) -> str:
    text = " ".join(str(value or "")[: _PREVIEW * 4].split())
    return text if len(text) <= _PREVIEW else f"{text[: _PREVIEW - 1]}…"


_HANDLERS: dict[str, Callable[[Trace, LogLine], None]] = {
    EventKind.REQUEST_ACCEPTED: _accepted,
    EventKind.REQUEST_WAITING: _waiting,
    EventKind.TRACE_STARTED: _started,
    EventKind.LLM_REQUEST_START: _asked,
    EventKind.LLM_REQUEST_ERROR: _failed_call,
    EventKind.LLM_RETRY: _retry,
    EventKind.LLM_FALLBACK: _fallback,
    EventKind.LLM_REQUEST_COMPLETE: _answered,
    EventKind.THINK_COMPLETED: _thought,
    EventKind.COMPACTION_COMPLETED: _summed_up,
    EventKind.COMPACTION_FAILED: _summed_up,
    EventKind.TOOL_STARTED: _tool_started,
    EventKind.TOOL_COMPLETED: _tool_ended,
    EventKind.SUBAGENT_COMPLETED: _tool_ended,
    EventKind.TOOL_INTERRUPTED: _interrupted,
    EventKind.SUBAGENT_ACCEPTED: _mirrored,
    EventKind.REQUEST_PAUSED: _paused,
    EventKind.INTERACTION_CREATE: _asked_person,
    EventKind.INTERACTION_ACK: _person_answered,
    EventKind.REQUEST_RECOVERED: _recovered,
    EventKind.REQUEST_RESUMED: _resumed,
    EventKind.WORKFLOW_STEP_STARTED: _step_started,
    EventKind.WORKFLOW_STEP_COMPLETED: _step_ended,
    EventKind.WORKFLOW_STEP_FAILED: _step_ended,
    EventKind.WORKFLOW_STEP_SKIPPED: _step_ended,
    EventKind.WORKFLOW_SIGNAL: _signalled,
    EventKind.CONTEXT_LOADED: _went_on,
    EventKind.THINK_STARTED: _went_on,
    **dict.fromkeys(TERMINAL_EVENTS, _over),
}
FOLDED = tuple(_HANDLERS)
"""The kinds of events that change a span."""
