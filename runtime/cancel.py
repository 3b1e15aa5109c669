"""Stops a request and everything that it has started.

Asking is one short transaction: it marks the row. Who runs the request sees the mark within a second, also inside a model
call or a tool; one that nobody runs is ended by whoever asked or, should they vanish, by a worker. Each request of the
family ends in a transaction of its own, children first, so that a cancel and a child's end cannot lock each other out.
"""

from django.db import transaction

from runtime import finish, queue
from runtime.errors import StaleAttempt
from runtime.kinds import Reason, Status
from runtime.models import AgentRequest


def cancel_request(agent_request: AgentRequest, *, reason: str, by: str) -> None:
    """Asks for the end of the request and, unless it runs, ends it at once; one that has ended stays as it is."""
    marked = ask_to_stop(agent_request, reason=reason, by=by)
    if marked.status == Status.PAUSED:
        end_cancelled(marked)


def ask_to_stop(agent_request: AgentRequest, *, reason: str, by: str) -> AgentRequest:
    """Ends a queued request; marks one that runs or is parked, and wakes whoever will end it. The row as it is then."""
    with transaction.atomic():
        rows = agent_request.workspace.agent_requests.filter(pk=agent_request.pk)
        current = rows.with_agent().select_for_update(of=("self",), no_key=True).get()
        if current.is_terminal:
            return current
        if current.status not in {Status.RUNNING, Status.PAUSED}:
            finish.cancel(current, [], reason=reason, by=by)
            return current
        if not current.cancel_reason:
            current.cancel_reason, current.cancelled_by = reason, by
            rows.update(cancel_reason=reason, cancelled_by=by, is_due=True)
        if current.status == Status.PAUSED:
            queue.enqueue(current)
    return current


def end_cancelled(agent_request: AgentRequest) -> None:
    """Ends a parked request that is marked; a worker may be doing the same, and one of them does."""
    cancel_children(agent_request)
    try:
        finish.cancel(agent_request, [], reason=agent_request.cancel_reason, by=agent_request.cancelled_by)
    except StaleAttempt:
        return


def cancel_children(agent_request: AgentRequest) -> None:
    """What the request has delegated ends before it does."""
    for child in agent_request.children.unfinished().select_related("workspace"):
        cancel_request(child, reason=Reason.CANCELLED, by=parent_name(agent_request))


def parent_name(agent_request: AgentRequest) -> str:
    """How a request signs what it does to its children."""
    return f"request:{agent_request.request_id}"
