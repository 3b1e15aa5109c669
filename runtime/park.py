"""Lets a request wait for a subagent, a person or a time without holding a thread or a lease (design.md 3, step 7)."""

from datetime import datetime
from typing import Any

from django.db import transaction

from runtime import events
from runtime.events import NewEvent
from runtime.journal import Journal
from runtime.kinds import EventKind, PauseReason, Status


def park(journal: Journal, reason: PauseReason, *, wakes_at: datetime | None, about: dict[str, Any]) -> bool:
    """True when the request is parked, until `is_due` or `wakes_at`. False: something has happened already, look again.

    Whatever is waited for marks the row under the same lock, so nothing can happen between the last look and the parking.
    """
    agent_request = journal.agent_request
    row = agent_request.workspace.agent_requests.filter(pk=agent_request.pk, attempt=agent_request.attempt)
    changes = {"pause_reason": reason, "wakes_at": wakes_at, "lease_owner": "", "lease_expires_at": None}
    paused = NewEvent(event_type=EventKind.REQUEST_PAUSED, payload={"reason": reason, **about})
    with transaction.atomic():
        # The fenced write comes first: it locks the row, and refuses when somebody has cancelled.
        written = events.append(agent_request, [*journal.pending, paused], agent_request.attempt)
        is_parked = row.running().filter(is_due=False).move(Status.PAUSED, **changes) == 1
        if not is_parked:
            transaction.set_rollback(True)
    if is_parked:
        journal.pending = []
    else:
        agent_request.last_sequence -= len(written)
        row.update(is_due=False)
    return is_parked
