"""A run's lines in the log, and what they say when they are read again."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from runtime.events import NewEvent
from runtime.kinds import EventKind
from runtime.models import RuntimeEvent
from workflows.definition import AnyStep
from workflows.engine import STOPPED, Node, Progress, StepError


def started(path: str, step: AnyStep, attempt: int, given: Any, **about: Any) -> NewEvent:
    payload = {"path": path, "step": step.id, "kind": step.kind, "attempt": attempt, "input": given, **about}
    return _event(EventKind.WORKFLOW_STEP_STARTED, f"started.{path}.{attempt}", payload)


def completed(path: str, attempt: int, output: Any, *, duration_ms: int, **about: Any) -> NewEvent:
    payload = {"path": path, "attempt": attempt, "output": output, "duration_ms": duration_ms, **about}
    return _event(EventKind.WORKFLOW_STEP_COMPLETED, f"completed.{path}", payload, is_step=True)


def failed(path: str, attempt: int, error: StepError, *, retry_at: datetime | None = None) -> NewEvent:
    """With `retry_at` the step is tried again then."""
    again = retry_at.timestamp() if retry_at else None
    payload = {"path": path, "attempt": attempt, **error.as_json(), "retry_at": again}
    return _event(EventKind.WORKFLOW_STEP_FAILED, f"failed.{path}.{attempt}", payload, is_step=True)


def skipped(path: str) -> NewEvent:
    return _event(EventKind.WORKFLOW_STEP_SKIPPED, f"skipped.{path}", {"path": path})


def signalled(name: str, payload: Any, *, by: str) -> NewEvent:
    return NewEvent(event_type=EventKind.WORKFLOW_SIGNAL, payload={"name": name, "payload": payload, "by": by})


def _event(kind: EventKind, key: str, payload: Mapping[str, Any], *, is_step: bool = False) -> NewEvent:
    return NewEvent(event_type=kind, key=f"workflow.step.{key}"[:200], payload=payload, is_step=is_step)


def fold(progress: Progress, events: Iterable[RuntimeEvent]) -> Progress:
    """The progress with what these events say, in their order."""
    for event in events:
        _FOLDS[EventKind(event.event_type)](progress, event)
    return progress


def _complete(progress: Progress, event: RuntimeEvent) -> None:
    node = _node(progress, event.payload)
    node.status, node.output, node.state = "completed", event.payload.get("output"), event.payload.get("state")


def _skip(progress: Progress, event: RuntimeEvent) -> None:
    progress.nodes[event.payload["path"]] = Node(status="skipped")


def _signal(progress: Progress, event: RuntimeEvent) -> None:
    progress.signals.setdefault(event.payload["name"], []).append(event.payload["payload"])


def _break(progress: Progress, event: RuntimeEvent) -> None:
    progress.broken = frozenset((event.payload.get("path") or "", *event.payload.get("beside", ())))


def _start(progress: Progress, event: RuntimeEvent) -> None:
    payload, node = event.payload, progress.nodes.get(event.payload["path"])
    tries = node.next_try if node else 1
    progress.nodes[payload["path"]] = Node(
        status="going",
        attempt=payload["attempt"],
        tries=tries,
        began=event.created_at,
        state_revision=payload.get("state_revision"),
    )


def _fail(progress: Progress, event: RuntimeEvent) -> None:
    payload = event.payload
    node = _node(progress, payload)
    again = payload.get("retry_at")
    node.status = "retrying" if again is not None else "failed"
    node.retry_at = datetime.fromtimestamp(again, tz=UTC) if again is not None else None
    node.error = StepError(
        code=payload["error_code"], message=payload["error"], is_final=not payload.get("retryable", True)
    )


def _resume(progress: Progress, event: RuntimeEvent) -> None:
    """What ended the run, and what was stopped with it, is tried again; failures that the run lived with stay."""
    for path, node in progress.nodes.items():
        is_again = path in progress.broken or (node.error is not None and node.error.code == STOPPED)
        if node.status == "failed" and is_again:
            node.status, node.retry_at, node.tries = "retrying", None, 0
        elif node.status == "retrying":
            node.tries = 0


def _node(progress: Progress, payload: Mapping[str, Any]) -> Node:
    node = progress.nodes.setdefault(payload["path"], Node(status="going"))
    node.attempt = payload["attempt"]
    return node


_FOLDS = {
    EventKind.WORKFLOW_STEP_STARTED: _start,
    EventKind.WORKFLOW_STEP_COMPLETED: _complete,
    EventKind.WORKFLOW_STEP_FAILED: _fail,
    EventKind.WORKFLOW_STEP_SKIPPED: _skip,
    EventKind.WORKFLOW_SIGNAL: _signal,
    EventKind.REQUEST_FAILED: _break,
    EventKind.REQUEST_RESUMED: _resume,
}
FOLDED = tuple(_FOLDS)
"""The events that say something of progress."""
