"""Runs a claimed request to its end, or to the point where it must let go: think, act, observe (design.md 3, step 6)."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.db import close_old_connections

from agents.build import RunnableAgent, build_agent
from agents.llm.errors import ContextTooLong, LLMError
from agents.llm.types import LLMContentBlock, LLMMessage
from agents.loop import CallTool, CommitStep, Fail, Finish, LoopState, Think, after_commit, next_step
from agents.memory.history import as_messages, recent_turns
from agents.signals import collect_signals
from runtime import finish, lease
from runtime.act import act
from runtime.deadline import Deadline
from runtime.errors import DeadlineExceeded, RequestCancelled, StaleAttempt
from runtime.events import NewEvent
from runtime.journal import Journal, until_the_database_is_back
from runtime.kinds import EventKind, Reason
from runtime.models import AgentRequest
from runtime.readers import DATABASE_ERRORS
from runtime.rebuild import Rebuilt, rebuild
from runtime.think import think
from runtime.usage.budget import BudgetExceeded, check_budget
from workspaces.errors import MashError

logger = logging.getLogger(__name__)


class HandedBack(Exception):
    """This worker is stopping: the request goes on elsewhere from its last durable boundary."""


def execute_request(agent_request: AgentRequest, *, should_stop: Callable[[], bool]) -> None:
    """Drives the request until it has ended, or until this worker may no longer. Raises nothing."""
    journal = Journal(agent_request)
    try:
        _drive(journal, should_stop)
    except HandedBack:
        lease.give_up(agent_request, agent_request.attempt)
    except (StaleAttempt, *DATABASE_ERRORS) as error:
        # Ours no longer, or out of reach: the lease will run out, and whoever claims it next reads the log.
        logger.warning("Request %s left: %s", agent_request, error, extra={"action": "request.left"})
    except RequestCancelled as error:
        reason = error.details["reason"]
        _end(lambda: finish.cancel(agent_request, journal.pending, reason=reason, by="request"))
    except Exception as error:  # the top of a worker: whatever happens, the request gets its one terminal event
        if not isinstance(error, MashError):
            logger.exception("Request %s failed unexpectedly", agent_request, extra={"action": "request.crashed"})
        _fail(journal, error)
    finally:
        close_old_connections()


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


def _drive(journal: Journal, should_stop: Callable[[], bool]) -> None:
    agent_request = journal.agent_request
    runnable = build_agent(agent_request.workspace, agent_request.agent, agent_request.agent_version)
    limits = agent_request.limits
    deadline = Deadline.after(agent_request.accepted_at, limits.get("deadline_s"), runnable.definition.deadline_s)
    rebuilt = _load(journal, runnable)
    state, step_began = rebuilt.state, time.monotonic()
    while True:
        step = next_step(state)
        if isinstance(step, (Think, CallTool)):
            _check_boundary(journal, deadline, should_stop)
        match step:
            case Think():
                check_budget(agent_request, runnable, journal.pending)
                step_began = time.monotonic()
                state = think(journal, runnable, state, context=agent_request.context, deadline=deadline)
            case CallTool(call=call):
                state = act(journal, runnable, state, call, was_interrupted=call.id in rebuilt.interrupted)
            case CommitStep():
                journal.add(_step_completed(step, step_began))
                state = after_commit(state)
            case Fail():
                raise TurnFailed(step)
            case Finish():
                _end_turn(journal, runnable, state, step)
                return


class TurnFailed(MashError):
    """The loop itself says that the turn cannot be completed."""

    def __init__(self, step: Fail) -> None:
        super().__init__(step.message)
        self.code = step.code


def _load(journal: Journal, runnable: RunnableAgent) -> Rebuilt:
    """The state to go on from: history and message, and whatever the log holds of this turn already."""
    agent_request = journal.agent_request
    turns = recent_turns(
        agent_request.workspace,
        agent_id=agent_request.agent.agent_id,
        session_id=agent_request.session_id,
        count=runnable.definition.conversation_history_turns,
    )
    message = LLMMessage(role="user", content=[LLMContentBlock.text(agent_request.message)])
    initial = LoopState(
        messages=(*as_messages(turns), message),
        max_steps=min(
            runnable.definition.max_steps, agent_request.limits.get("max_steps", runnable.definition.max_steps)
        ),
    )
    if agent_request.attempt > 1:
        rebuilt = rebuild(initial, agent_request.events.order_by("sequence"))
    else:
        rebuilt = Rebuilt(state=initial, interrupted=frozenset())
    journal.add(*_opening(agent_request, turn_count=len(turns)))
    return rebuilt


def _opening(agent_request: AgentRequest, *, turn_count: int) -> list[NewEvent]:
    """How a run begins in the log. Written with the first step; a later attempt repeats none of what is there."""
    message = {"message": agent_request.message}
    user_message = {"user_message": agent_request.message}
    opening = [
        NewEvent(event_type=EventKind.TRACE_STARTED, key="request.started", payload=message),
        NewEvent(
            event_type=EventKind.AGENT_RUN_START, key="agent.run.start", payload={"step_id": 0, "payload": user_message}
        ),
        NewEvent(
            event_type=EventKind.CONTEXT_LOADED, key="context.loaded", payload={**message, "turn_count": turn_count}
        ),
    ]
    if agent_request.attempt > 1:
        recovered = {"attempt": agent_request.attempt, "lost_leases": agent_request.lost_leases}
        opening.append(NewEvent(event_type=EventKind.REQUEST_RECOVERED, payload=recovered))
    return opening


def _check_boundary(journal: Journal, deadline: Deadline, should_stop: Callable[[], bool]) -> None:
    """Before work begins that cannot be taken back: is there still time, and is this worker to go on?"""
    deadline.check()
    if should_stop():
        journal.write()
        raise HandedBack


def _step_completed(step: CommitStep, began: float) -> NewEvent:
    return NewEvent(
        event_type=EventKind.STEP_COMPLETED,
        loop_index=step.loop_index,
        key=f"step.completed.{step.loop_index}",
        is_step=True,
        payload={
            "action_type": step.action_type,
            "tool_calls": list(step.tool_names),
            "duration_ms": round((time.monotonic() - began) * 1000),
        },
    )


def _end_turn(journal: Journal, runnable: RunnableAgent, state: LoopState, step: Finish) -> None:
    signals: dict[str, Any] = {}
    if not step.stopped_by_limit:
        signals = collect_signals(runnable.tool_definitions, state.invocations)
    outcome = finish.Outcome(
        text=step.text,
        signals=signals,
        input_tokens=state.input_tokens,
        output_tokens=state.output_tokens,
        stop_reason=Reason.MAX_STEPS if step.stopped_by_limit else "",
    )
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
    if isinstance(error, TurnFailed) and error.code == "truncated_tool_call":
        return Reason.TRUNCATED
    return Reason.ERROR
