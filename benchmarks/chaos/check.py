"""Holds what a deployment has written against the promises of design.md 4. Each violation is one line of text."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.chaos.client import Submitted, Transcript
from benchmarks.chaos.log import EventRow, Log, RequestRow

TERMINAL = {
    "runtime.request.completed": "completed",
    "runtime.request.failed": "failed",
    "runtime.request.cancelled": "cancelled",
}
_STARTED = "runtime.trace.started"
_MIRROR_PREFIX = "subagent."
_RECOVERED = "runtime.request.recovered"
_THOUGHT = "runtime.llm.think.completed"
_RETRIED = "runtime.llm.retry"
_TOOL_STARTED = "runtime.tool.call.started"
_TOOL_COMPLETED = "runtime.tool.call.completed"
_STEP = "runtime.workflow.step."


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Everything that was seen from outside, and the log."""

    requests: list[RequestRow]
    events: Mapping[int, list[EventRow]]
    ledger: list[dict[str, Any]]
    model_calls: Mapping[str, int]
    submitted: list[Submitted] = field(default_factory=list)
    transcripts: list[Transcript] = field(default_factory=list)

    def kinds(self, request: RequestRow) -> Counter[str]:
        return Counter(event.event_type for event in self.events[request.pk])


def gather(
    log: Log,
    ledger: list[dict[str, Any]],
    model_calls: Mapping[str, int],
    submitted: Iterable[Submitted] = (),
    transcripts: Iterable[Transcript] = (),
) -> Evidence:
    events: dict[int, list[EventRow]] = defaultdict(list)
    for event in log.events():
        events[event.request_pk].append(event)
    return Evidence(
        requests=log.requests(),
        events=events,
        ledger=ledger,
        model_calls=model_calls,
        submitted=list(submitted),
        transcripts=list(transcripts),
    )


def violations(evidence: Evidence) -> list[str]:
    checks = (_acceptances, _unfinished, _failures, _steps, _model_calls, _tool_runs, _session_order, _transcripts)
    return [text for check in checks for text in check(evidence)]


def _acceptances(evidence: Evidence) -> Iterator[str]:
    stored = {request.request_id for request in evidence.requests}
    for submitted in evidence.submitted:
        if submitted.request_id not in stored:
            yield f"{submitted.key}: answered 200 and is not in the database"
    for key, count in Counter(request.key for request in evidence.requests).items():
        if count > 1:
            yield f"{key}: one idempotency key, {count} requests"


def _unfinished(evidence: Evidence) -> Iterator[str]:
    for request in evidence.requests:
        if request.status not in TERMINAL.values():
            events = len(evidence.events[request.pk])
            yield f"{request.key}: still {request.status} (attempt {request.attempt}, {events} events)"


def _failures(evidence: Evidence) -> Iterator[str]:
    """Nothing that is asked for here can fail by itself; only who loses three workers in a row is given up."""
    for request in evidence.requests:
        if request.status == "failed" and request.reason != "worker_lost":
            yield f"{request.key}: failed ({request.reason}): {(request.error or {}).get('error')}"


def _steps(evidence: Evidence) -> Iterator[str]:
    """Each think once per loop index, each tool call completed once and never started again after that."""
    for request in evidence.requests:
        thoughts: Counter[int | None] = Counter()
        finished: set[tuple[int | None, str]] = set()
        for event in evidence.events[request.pk]:
            call = (event.loop_index, str(event.payload.get("tool_call_id")))
            if event.event_type == _THOUGHT:
                thoughts[event.loop_index] += 1
            elif event.event_type in {_TOOL_STARTED, _TOOL_COMPLETED} and call in finished:
                yield f"{request.key}: {event.event_type} of {call} after it had finished"
            elif event.event_type == _TOOL_COMPLETED:
                finished.add(call)
        yield from _repeated_steps(request, evidence.events[request.pk])
        for index, count in thoughts.items():
            if count > 1:
                yield f"{request.key}: step {index} was thought {count} times"


def _repeated_steps(request: RequestRow, events: Iterable[EventRow]) -> Iterator[str]:
    """Of a run: a step that is finished neither begins nor ends again."""
    done: set[str] = set()
    for event in events:
        if event.event_type.startswith(_STEP) and event.payload["path"] in done:
            yield f"{request.key}: {event.event_type} of {event.payload['path']} after it had finished"
        if event.event_type == f"{_STEP}completed":
            done.add(event.payload["path"])


def _model_calls(evidence: Evidence) -> Iterator[str]:
    """Only a call that was in flight when its worker vanished, or its run was stopped, may be made again."""
    for request in evidence.requests:
        kinds = evidence.kinds(request)
        allowed = kinds[_THOUGHT] + kinds[_RECOVERED] + kinds[_RETRIED]
        asked = evidence.model_calls.get(request.key, 0)
        # A run that did not complete may have asked once more than the log can show: the call that was stopped.
        allowed += request.run - (request.status == "completed")
        if asked > allowed or asked < kinds[_THOUGHT]:
            yield f"{request.key}: the model was asked {asked} times, the log explains {kinds[_THOUGHT]} to {allowed}"


def _tool_runs(evidence: Evidence) -> Iterator[str]:
    begun = [(line["tool"], line["key"]) for line in evidence.ledger if line["phase"] == "begun"]
    started = _tool_starts(evidence)
    for (tool, key), count in Counter(begun).items():
        if tool == "pay_once" and count > 1:
            yield f"{key}: an at_most_once tool ran {count} times"
        if count > started[key]:
            yield f"{key}: the tool ran {count} times, the log started it {started[key]} times"


def _tool_starts(evidence: Evidence) -> Counter[str]:
    """How often the log says that a tool was begun, by idempotency key."""
    return Counter(
        f"{request.request_id}:{event.loop_index}:{event.payload['tool_call_id']}"
        for request in evidence.requests
        for event in evidence.events[request.pk]
        if event.event_type == _TOOL_STARTED
    ) + Counter(
        f"{request.session_id}:{event.payload['path']}"
        for request in evidence.requests
        for event in evidence.events[request.pk]
        if event.event_type == f"{_STEP}started"
    )


def _session_order(evidence: Evidence) -> Iterator[str]:
    """Whoever was answered first in a session ended before the next one began."""
    rows = {request.request_id: request for request in evidence.requests}
    last: dict[str, RequestRow] = {}
    for request in (rows[submitted.request_id] for submitted in evidence.submitted if submitted.request_id in rows):
        earlier = last.get(request.session_id)
        if earlier is not None and _began(evidence, request) < _ended(evidence, earlier):
            yield f"{request.key} began before {earlier.key} of its session had ended"
        last[request.session_id] = request


def _began(evidence: Evidence, request: RequestRow) -> float:
    return next((event.pk for event in evidence.events[request.pk] if event.event_type == _STARTED), float("inf"))


def _ended(evidence: Evidence, request: RequestRow) -> float:
    return next((event.pk for event in evidence.events[request.pk] if event.event_type in TERMINAL), 0)


def _transcripts(evidence: Evidence) -> Iterator[str]:
    rows = {request.request_id: request for request in evidence.requests}
    for transcript in evidence.transcripts:
        request = rows[transcript.request_id]
        log = evidence.events[request.pk]
        seen = [cursor for cursor, _, _ in transcript.frames]
        # Who has seen an end need not come back for what a resume brought.
        if seen != [event.sequence for event in log][: len(seen)] or log[len(seen) - 1].event_type not in TERMINAL:
            yield f"{request.key}: the stream delivered {seen}, the log holds 1 to {len(log)}"
            continue
        for (_, name, data), event in zip(transcript.frames, log, strict=False):
            is_trace = name == "agent.trace" and not event.event_type.startswith(_MIRROR_PREFIX)
            if is_trace and (data["event_type"], data["payload"]) != (event.event_type, event.payload):
                yield f"{request.key}: event {event.sequence} of the stream differs from the log"
