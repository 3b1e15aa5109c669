"""What drives requests of each kind, and what every driver does at its boundaries."""

import logging
from collections.abc import Callable

from agents.stop_signal import StopSignal
from runtime.deadline import Deadline
from runtime.errors import StaleAttempt
from runtime.journal import Journal, until_the_database_is_back
from runtime.readers import DATABASE_ERRORS

logger = logging.getLogger(__name__)

ShouldStop = Callable[[], bool]
Driver = Callable[[Journal, ShouldStop, StopSignal], None]
"""Works until the request has ended or is parked; what it raises ends the request."""

drivers: dict[str, Driver] = {}
"""By kind of request. Rooms above this one add theirs when they are ready."""


class HandedBack(Exception):
    """This worker is stopping: the request goes on elsewhere from its last durable boundary."""


def check_boundary(journal: Journal, deadline: Deadline, should_stop: ShouldStop) -> None:
    """Before work begins that cannot be taken back: is there still time, and is this worker to go on?"""
    deadline.check()
    if should_stop():
        journal.write()
        raise HandedBack


def end(end_it: Callable[[], None]) -> None:
    """Ends a request through a moment without a database; one that another worker has is left to it."""
    try:
        for attempt in until_the_database_is_back():
            with attempt:
                end_it()
    except (StaleAttempt, *DATABASE_ERRORS) as error:
        logger.warning("A request could not be ended here: %s", error, extra={"action": "request.left"})
