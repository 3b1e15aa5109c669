"""Runs a claimed request to its end, or to the point where it must let go (design.md 3, step 6)."""

import logging
from typing import Any

from django.db import close_old_connections

from agents.llm.errors import CallStopped, ContextTooLong, LLMError
from agents.stop_signal import StopSignal
from runtime import finish, lease
from runtime.cancel import cancel_children
from runtime.deadline import DEADLINE
from runtime.drive import HandedBack, ShouldStop, drivers, end
from runtime.errors import DeadlineExceeded, RequestCancelled, StaleAttempt
from runtime.journal import Journal
from runtime.kinds import Reason, RequestKind
from runtime.models import AgentRequest
from runtime.readers import DATABASE_ERRORS
from runtime.turn import TurnFailed, drive_compaction, drive_turn
from runtime.usage.budget import BudgetExceeded
from workspaces.errors import MashError

logger = logging.getLogger(__name__)

drivers |= {RequestKind.TURN: drive_turn, RequestKind.COMPACTION: drive_compaction}

_FAILED_TURNS = {"truncated_tool_call": Reason.TRUNCATED, "invalid_output": Reason.INVALID_OUTPUT}


def execute_request(agent_request: AgentRequest, *, should_stop: ShouldStop, stop: StopSignal) -> None:
    """Drives the request until it has ended, waits, or until this worker may no longer. Raises nothing."""
    journal = Journal(agent_request)
    try:
        drivers[agent_request.kind](journal, should_stop, stop)
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
    end(lambda: cancel_children(journal.agent_request))
    if isinstance(error, RequestCancelled):
        about = error.details
        end(lambda: finish.cancel(journal.agent_request, journal.pending, reason=about["reason"], by=about["by"]))
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
        end(lambda: finish.fail(journal.agent_request, journal.pending, reason=reason, error=body))
    except Exception:
        logger.exception("The last events of request %s cannot be written", journal.agent_request)
        end(lambda: finish.fail(journal.agent_request, [], reason=reason, error=body))


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
