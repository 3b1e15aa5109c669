"""Drives a run: begins what may begin, takes in what has ended, and lets go of its thread while it only waits."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.json_schema import faults_of
from agents.llm.errors import CallStopped
from agents.stop_signal import StopSignal
from runtime import events, finish
from runtime.cancel import cancel_children
from runtime.deadline import Deadline
from runtime.drive import HandedBack, ShouldStop, end
from runtime.events import NewEvent
from runtime.journal import Journal
from runtime.kinds import EventKind, PauseReason, Reason
from runtime.park import park
from workflows import log, states
from workflows.definition import AgentStep, CodeStep, HumanStep, WaitStep, Work, WorkflowStep
from workflows.engine import INTERRUPTED, STOPPED, Begin, Going, Node, Outcome, Plan, StepError, plan
from workflows.open_run import OpenRun
from workflows.steps import children, code, human, wait
from workflows.steps.ending import Ending

_CODE_AT_ONCE = 16
_LOOK_EVERY_S = 1.0


def drive_run(journal: Journal, should_stop: ShouldStop, stop: StopSignal) -> None:
    """Until the run has ended or is parked."""
    run = OpenRun.read(journal.agent_request)
    deadline = Deadline.after(
        journal.agent_request.run_began_at, journal.agent_request.limits.get("deadline_s"), run.definition.timeout_s
    )
    journal.add(*_opening(run))
    with deadline.setting(stop), code.Calls(_CODE_AT_ONCE, stop) as calls:
        while not _advance(journal, run, calls, deadline, should_stop, stop):
            pass


def _opening(run: OpenRun) -> list[NewEvent]:
    row = run.agent_request
    opening = [NewEvent(event_type=EventKind.TRACE_STARTED, key="request.started", payload={"message": row.message})]
    if row.was_lost:
        recovered = {"attempt": row.attempt, "lost_leases": row.lost_leases}
        opening.append(NewEvent(event_type=EventKind.REQUEST_RECOVERED, payload=recovered))
    return opening


def _advance(
    journal: Journal, run: OpenRun, calls: code.Calls, deadline: Deadline, should_stop: ShouldStop, stop: StopSignal
) -> bool:
    """One round: looks, begins, waits. True when this worker has nothing more to do for the run."""
    todo = _look(journal, run, calls)
    if stop.is_set():
        raise CallStopped(f"The run was stopped: {stop.reason}.")
    if todo.outcome.state != "open" and not calls.going:
        _end(journal, run, todo.outcome)
        return True
    if is_stopping := should_stop():
        journal.write()
        if not calls.going:
            raise HandedBack
    else:
        deadline.check()
        _begin(journal, run, calls, todo.begin)
    if calls.going:
        _take(journal, run, calls.wait(_LOOK_EVERY_S))
        return False
    return not is_stopping and bool(not todo.begin or _only_waits(todo)) and _park(journal, run, deadline)


def _look(journal: Journal, run: OpenRun, calls: code.Calls) -> Plan:
    """What is to be done, after everything that has ended elsewhere was taken in."""
    while True:
        todo = plan(run.definition, run.progress, timezone.now())
        journal.add(*(log.skipped(path) for path in todo.skipped))
        journal.add(*(log.failed(path, 1, error) for path, error in todo.failed))
        in_vain = {going.path for going in todo.stop}
        ended = [
            (going, ending)
            for going in todo.going
            if going.path not in calls.going and (ending := _ending(run, going, is_in_vain=going.path in in_vain))
        ]
        for path in in_vain & calls.going.keys():
            calls.going[path].stop.set(STOPPED)
        if not ended:
            return todo
        for going, ending in ended:
            _note(journal, run, going.path, going.step, going.node, ending)


def _ending(run: OpenRun, going: Going, *, is_in_vain: bool) -> Ending | None:
    """What has come of the step; None while it goes on."""
    match going.step:
        case AgentStep() | WorkflowStep():
            ending = children.ending(run, going, is_in_vain=is_in_vain)
        case HumanStep():
            ending = human.ending(run, going, is_in_vain=is_in_vain)
        case WaitStep():
            ending = wait.ending(run, going)
        case _:
            ending = code.lost(run, going)
    if ending is None and is_in_vain:
        return Ending(error=StepError(code=STOPPED, message="A step beside it failed.", is_final=True))
    return ending


def _begin(journal: Journal, run: OpenRun, calls: code.Calls, begins: Iterable[Begin]) -> None:
    """Writes that they begin, and their children and questions with it; then the code runs."""
    begins, happened = list(begins), list(journal.pending)
    try:
        with transaction.atomic():
            for begin in begins:
                fault = _insert(journal, run, begin)
                _mark(journal, run, begin)
                if fault:
                    _note(journal, run, begin.path, begin.step, run.progress.nodes[begin.path], Ending(error=fault))
            if journal.pending:
                events.append(journal.agent_request, journal.pending, journal.agent_request.attempt)
    except Exception:
        # Nothing has begun, so an end that is written now must not say so.
        journal.pending = happened
        raise
    journal.pending = []
    for begin in begins:
        if isinstance(begin.step, CodeStep) and run.progress.nodes[begin.path].status == "going":
            calls.begin(run, begin)


def _insert(journal: Journal, run: OpenRun, begin: Begin) -> StepError | None:
    """What the step needs besides its line in the log. What is wrong, if it cannot begin."""
    match begin.step:
        case AgentStep() | WorkflowStep():
            return children.begin(run, begin)
        case HumanStep():
            return human.begin(run, begin, journal)
        case WaitStep():
            return wait.begin(run, begin)
    return code.fault(run, begin)


def _mark(journal: Journal, run: OpenRun, begin: Begin) -> None:
    node, now = run.progress.nodes.get(begin.path), timezone.now()
    state = run.state_of(begin.step.id)
    run.progress.nodes[begin.path] = Node(
        status="going",
        attempt=begin.attempt,
        tries=node.next_try if node else 1,
        began=now,
        state_revision=state.revision,
    )
    about = {"state_revision": state.revision} if state.revision else {}
    journal.add(log.started(begin.path, begin.step, begin.attempt, begin.input, **about))


def _take(journal: Journal, run: OpenRun, done: Iterable[code.Done]) -> None:
    for call in done:
        _note(journal, run, call.begin.path, call.begin.step, run.progress.nodes[call.begin.path], call.ending)


def _note(journal: Journal, run: OpenRun, path: str, step: Any, node: Node, ending: Ending) -> None:
    """Into the log, and into what is known of the run: completed, to be tried again, or failed."""
    error = ending.error or _output_fault(step, ending.output)
    if error is None:
        output = events.storable(ending.output)
        took_ms = round((timezone.now() - node.began).total_seconds() * 1000) if node.began else 0
        about: dict[str, Any] = {"state": events.storable(ending.state)} if ending.state is not None else {}
        if ending.request_id:
            about["request_id"] = ending.request_id
        journal.add(log.completed(path, node.attempt, output, duration_ms=took_ms, **about))
        node.status, node.output, node.state = "completed", output, ending.state
        return
    retry_at = _retry_at(step, node, error)
    journal.add(log.failed(path, node.attempt, error, retry_at=retry_at))
    node.status, node.error, node.retry_at = "retrying" if retry_at else "failed", error, retry_at


def _output_fault(step: Any, output: Any) -> StepError | None:
    if not isinstance(step, Work) or step.output_schema is None:
        return None
    faults = faults_of(step.output_schema, output)
    return StepError(code="invalid_output", message="; ".join(faults)) if faults else None


def _retry_at(step: Any, node: Node, error: StepError) -> datetime | None:
    if error.code == INTERRUPTED and not error.is_final:
        return timezone.now()
    if not isinstance(step, Work) or node.tries >= step.retry.attempts:
        return None
    is_wanted = error.code in step.retry.errors if step.retry.errors else not error.is_final
    return timezone.now() + timedelta(seconds=step.retry.wait_s(node.tries)) if is_wanted else None


def _only_waits(todo: Plan) -> bool:
    return not any(isinstance(begin.step, CodeStep) for begin in todo.begin)


def _park(journal: Journal, run: OpenRun, deadline: Deadline) -> bool:
    """True when the run is parked until something of it ends, or a time comes."""
    todo = plan(run.definition, run.progress, timezone.now())
    if todo.begin or todo.outcome.state != "open":
        return False
    moments = [wait.wakes_at(run, going) for going in todo.going]
    known = [moment for moment in (*moments, todo.retry_at) if moment]
    reason = _pause_reason(todo)
    about = {"steps": [going.path for going in todo.going][:20]}
    return park(journal, reason, wakes_at=deadline.earlier(min(known, default=None)), about=about)


def _pause_reason(todo: Plan) -> PauseReason:
    kinds = {type(going.step) for going in todo.going}
    if HumanStep in kinds:
        return PauseReason.INTERACTION
    return PauseReason.SUBAGENT if kinds & {AgentStep, WorkflowStep} else PauseReason.TIMER


def _end(journal: Journal, run: OpenRun, outcome: Outcome) -> None:
    row = journal.agent_request
    schema = run.definition.output_schema
    if outcome.state == "done" and schema is not None and (faults := faults_of(schema, outcome.output)):
        error = StepError(code="invalid_output", message="; ".join(faults), is_final=True)
        outcome = Outcome(state="failed", error=error)
    if outcome.state == "done":
        output = run.output(outcome.output)
        end(lambda: finish.complete_run(row, journal.pending, output, lambda: states.save(run)))
        return
    error = outcome.error or StepError(code="step_failed", message="A step failed.")
    body = {**error.as_json(), "error_type": "StepFailed", "path": outcome.path}
    if outcome.beside:
        body["beside"] = list(outcome.beside)
    end(lambda: cancel_children(row))
    end(lambda: finish.fail(row, journal.pending, reason=Reason.ERROR, error=body))
