"""Holds events that have happened until the next durable boundary, and gets them into the log."""

import logging
from typing import Any

from django.db import close_old_connections
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from runtime import events
from runtime.events import NewEvent
from runtime.models import AgentRequest
from runtime.readers import DATABASE_ERRORS

logger = logging.getLogger(__name__)


def until_the_database_is_back() -> Retrying:
    """Tries again for a minute: a restarted database is ordinary, and what a model answered is worth keeping."""
    return Retrying(
        retry=retry_if_exception_type(DATABASE_ERRORS),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        stop=stop_after_delay(60),
        before_sleep=_note,
        reraise=True,
    )


class Journal:
    """The events of one attempt. Each external effect is preceded by `write`, so what led to it is durable first."""

    def __init__(self, agent_request: AgentRequest) -> None:
        self.agent_request = agent_request
        self.pending: list[NewEvent] = []
        self._attempt = agent_request.attempt

    def add(self, *new_events: NewEvent) -> None:
        self.pending.extend(new_events)

    def write(self) -> None:
        """Makes everything that was added durable, and lets go of the database connection."""
        before = self.agent_request.last_sequence
        for attempt in until_the_database_is_back():
            with attempt:
                is_retry = attempt.retry_state.attempt_number > 1
                if self.pending and not (is_retry and self._has_committed(before)):
                    events.append(self.agent_request, self.pending, self._attempt)
        self.pending = []
        close_old_connections()

    def _has_committed(self, before: int) -> bool:
        """Whether the write before succeeded although its connection broke. Children and answers write here too."""
        last = self.pending[-1]
        ours = self.agent_request.events.filter(
            sequence__gt=before, event_type=last.event_type, created_at=last.created_at
        )
        for head in ours.values_list("sequence", flat=True):
            self.agent_request.last_sequence = head
            return True
        return False


def _note(state: RetryCallState) -> None:
    outcome: Any = state.outcome
    logger.warning("The database is away: %s", outcome.exception(), extra={"action": "database.retry"})
    close_old_connections()
