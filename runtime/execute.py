"""Runs a claimed request to its end, or to the point where it must let go: think, act, observe (design.md 3, step 6)."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.db import close_old_connections
from django.utils import timezone

from agents.build import RunnableAgent, build_agent
from agents.llm.errors import CallStopped, ContextTooLong, LLMError
from agents.loop import Ask, CallTools, CommitStep, Delegate, Fail, Finish, LoopState, Think, after_commit, next_step
from agents.memory.place import is_apart
from agents.stop_signal import StopSignal
from runtime import finish, lease
from runtime.act import act
from runtime.begin import begin
from runtime.cancel import cancel_children
from runtime.compact import Compaction, run_compaction
from runtime.deadline import DEADLINE, Deadline
from runtime.delegate import delegate
from runtime.errors import DeadlineExceeded, RequestCancelled, StaleAttempt
from runtime.events import NewEvent
from runtime.interactions.ask import ask, first_deadline
from runtime.journal import Journal, until_the_database_is_back
from runtime.kinds import EventKind, PauseReason, Reason, RequestKind
from runtime.models import AgentRequest
from runtime.park import park
from runtime.readers import DATABASE_ERRORS
from runtime.think import think
from runtime.turn_signals import collect_signals
from runtime.usage.budget import BudgetExceeded, check_budget
from workspaces.errors import MashError

logger = logging.getLogger(__name__)

_FAILED_TURNS = {"truncated_tool_call": Reason.TRUNCATED, "invalid_output": Reason.INVALID_OUTPUT}


class HandedBack(Exception):
    """This worker is stopping: the request goes on elsewhere from its last durable boundary."""


def execute_request(agent_request: AgentRequest, *, should_stop: Callable[[], bool], stop: StopSignal) -> None:
    """Drives the request until it has ended, waits, or until this worker may no longer. Raises nothing."""
    journal = Journal(agent_request)
    try:
        _drive(journal, should_stop, stop)
    except HandedBack:
        lease.give_up(agent_request, agent_request.attempt)
    except (StaleAttempt, *DATABASE_ERRORS) as error:
        # Ours no longer, or out of reach: the lease will run out, and whoever claims it next reads the log.
        logger.warning("Request %s left: %s", agent_request, error, extra={"action": "request.left"})
    except Exception as error:  # the top of a worker: whatever happens, the request gets its one terminal event
        _end_early(journal, error, stop)
    finally:
        close_old_connections()


def _end_early(journal: Journal, error: Exception, stop: StopSignal) -> None:
    if isinstance(error, CallStopped):
        error = _why_stopped(journal.agent_request, error, stop)
    _end(lambda: cancel_children(journal.agent_request))
    if isinstance(error, RequestCancelled):
        about = error.details
        _end(lambda: finish.cancel(journal.agent_request, journal.pending, reason=about["reason"], by=about["by"]))
        return
    if not isinstance(error, MashError):
        logger.error("Request %s failed", journal.agent_request, exc_info=error, extra={"action": "request.crashed"})
    _fail(journal, error)


def _why_stopped(agent_request: AgentRequest, error: CallStopped, stop: StopSignal) -> MashError:
    if stop.reason == DEADLINE:
        return DeadlineExceeded("The request ran out of time.")
    rows = agent_request.workspace.agent_requests.filter(pk=agent_request.pk).exclude(cancel_reason="")
    for row in rows.values("cancel_reason", "cancelled_by"):
        about = {"reason": row["cancel_reason"], "by": row["cancelled_by"]}
        return RequestCancelled("The request was cancelled.", details=about)
    return error


def _fail(journal: Journal, error: Exception) -> None:
    """Ends the request in error, if need be without the events that may be what cannot be written."""
    reason, body = _reason(error), error_body(error)
    try:
        _end(lambda: finish.fail(journal.agent_request, journal.pending, reason=reason, error=body))
    except Exception:
        logger.exception("The last events of request %s cannot be written", journal.agent_request)
        _end(lambda: finish.fail(journal.agent_request, [], reason=reason, error=body))


def _end(end: Callable[[], None]) -> None:
    try:
        for attempt in until_the_database_is_back():
            with attempt:
                end()
    except (StaleAttempt, *DATABASE_ERRORS) as error:
        logger.warning("A request could not be ended here: %s", error, extra={"action": "request.left"})


def _drive(journal: Journal, should_stop: Callable[[], bool], stop: StopSignal) -> None:
    agent_request = journal.agent_request
    told = list[NewEvent]()
    runnable = build_agent(
        agent_request.workspace,
        agent_request.agent,
        agent_request.agent_version,
        depth=agent_request.depth,
        emit=lambda event_type, payload: told.append(NewEvent(event_type=EventKind(event_type), payload=payload)),
        stop=stop,
    )
    limit = agent_request.limits.get("deadline_s")
    deadline = Deadline.after(agent_request.run_began_at, limit, runnable.definition.deadline_s)
    with deadline.setting(stop):
        if agent_request.kind == RequestKind.COMPACTION:
            done = run_compaction(journal, runnable, deadline=deadline, stop=stop)
            _end(lambda: finish.complete_compaction(agent_request, journal.pending, done))
            return
        began = begin(journal, runnable, deadline=deadline, stop=stop)
        journal.add(*told)
        state: LoopState | None = began[0]
        step_began = _step_began(agent_request)
        while state is not None:
            step = next_step(state)
            if isinstance(step, (Finish, Fail)):
                _end_turn(journal, runnable, state, step, compaction=began[1])
                return
            if not isinstance(step, CommitStep):
                _check_boundary(journal, deadline, should_stop)
            if isinstance(step, Think):
                check_budget(agent_request, runnable, journal.pending)
                step_began = time.monotonic()
            state = _perform(journal, runnable, state, step, deadline=deadline, stop=stop, step_began=step_began)


def _perform(
    journal: Journal,
    runnable: RunnableAgent,
    state: LoopState,
    step: Think | CallTools | Delegate | Ask | CommitStep,
    *,
    deadline: Deadline,
    stop: StopSignal,
    step_began: float,
) -> LoopState | None:
    """The state after the step; None when the request is parked and goes on some other time."""
    match step:
        case Think():
            context = journal.agent_request.context
            return think(journal, runnable, state, context=context, deadline=deadline, stop=stop)
        case CallTools(calls=calls):
            return act(journal, runnable, state, calls, stop=stop)
        case Ask(calls=calls):
            state, open_ones = ask(journal, runnable, state, calls)
            ids = [interaction.interaction_id for interaction in open_ones]
            wakes_at = deadline.earlier(first_deadline(open_ones))
            about = {"interaction_ids": ids}
            is_parked = bool(ids) and park(journal, PauseReason.INTERACTION, wakes_at=wakes_at, about=about)
            return None if is_parked else state
        case Delegate(calls=calls):
            state, waiting = delegate(journal, runnable, state, calls)
            wakes_at, about = deadline.earlier(waiting.until), {"request_ids": list(waiting.request_ids)}
            is_waiting = bool(waiting.request_ids)
            is_parked = is_waiting and park(journal, PauseReason.SUBAGENT, wakes_at=wakes_at, about=about)
            return None if is_parked else state
        case CommitStep():
            journal.add(step_completed(step, duration_ms=round((time.monotonic() - step_began) * 1000)))
            return after_commit(state)


class TurnFailed(MashError):
    """The loop itself says that the turn cannot be completed."""

    def __init__(self, step: Fail) -> None:
        super().__init__(step.message)
        self.code = step.code


def _check_boundary(journal: Journal, deadline: Deadline, should_stop: Callable[[], bool]) -> None:
    """Before work begins that cannot be taken back: is there still time, and is this worker to go on?"""
    deadline.check()
    if should_stop():
        journal.write()
        raise HandedBack


def _step_began(agent_request: AgentRequest) -> float:
    """On this process's clock, which for a step that an earlier attempt began, or that was parked, goes back to its start."""
    now = time.monotonic()
    if agent_request.attempt == 1:
        return now
    asked = agent_request.events.filter(event_type=EventKind.THINK_STARTED).order_by("-sequence")
    for asked_at in asked.values_list("created_at", flat=True)[:1]:
        return now - (timezone.now() - asked_at).total_seconds()
    return now


def step_completed(step: CommitStep, *, duration_ms: int) -> NewEvent:
    return NewEvent(
        event_type=EventKind.STEP_COMPLETED,
        loop_index=step.loop_index,
        key=f"step.completed.{step.loop_index}",
        is_step=True,
        payload={
            "action_type": step.action_type,
            "tool_calls": list(step.tool_names),
            "duration_ms": duration_ms,
        },
    )


def _end_turn(
    journal: Journal,
    runnable: RunnableAgent,
    state: LoopState,
    step: Finish | Fail,
    *,
    compaction: Compaction | None,
) -> None:
    if isinstance(step, Fail):
        raise TurnFailed(step)
    signals: dict[str, Any] = {}
    if not step.stopped_by_limit:
        signals = collect_signals(journal.agent_request, runnable, state, text=step.text)
    outcome = finish.Outcome(
        text=step.text,
        signals=signals,
        input_tokens=state.input_tokens,
        output_tokens=state.output_tokens,
        stop_reason=Reason.MAX_STEPS if step.stopped_by_limit else "",
        structured_output=step.output,
        compaction=compaction,
    )
    if is_apart():
        # What the turn came from must be in the log before the turn is stored, for a crash may come between them.
        journal.write()
    _end(lambda: finish.complete(journal.agent_request, journal.pending, outcome))


def error_body(error: Exception) -> dict[str, Any]:
    """What `request.error` says; an unexpected error's own text stays in the server's log."""
    if isinstance(error, MashError):
        return {
            "error": error.message,
            "error_type": type(error).__name__,
            "error_code": error.code,
            "retryable": error.retryable,
        }
    text = f"The request failed unexpectedly ({type(error).__name__}); the server's log has the details."
    return {"error": text, "error_type": type(error).__name__, "error_code": "internal_error", "retryable": False}


def _reason(error: Exception) -> Reason:
    if isinstance(error, ContextTooLong):
        return Reason.CONTEXT_OVERFLOW
    if isinstance(error, LLMError):
        return Reason.PROVIDER_ERROR
    if isinstance(error, DeadlineExceeded):
        return Reason.DEADLINE
    if isinstance(error, BudgetExceeded):
        return Reason.BUDGET
    if isinstance(error, TurnFailed):
        return _FAILED_TURNS[error.code]
    return Reason.ERROR
