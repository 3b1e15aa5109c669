"""How long a request may still take, counted from its acceptance."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from agents.stop_signal import StopSignal
from runtime.errors import DeadlineExceeded

DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class Deadline:
    at: datetime | None
    """None: no limit."""

    @classmethod
    def after(cls, start: datetime, *seconds: float | None) -> "Deadline":
        """The tightest of several limits in seconds; None entries do not limit."""
        limits = [limit for limit in seconds if limit is not None]
        return cls(start + timedelta(seconds=min(limits)) if limits else None)

    def remaining_s(self) -> float:
        return math.inf if self.at is None else max(0.001, (self.at - timezone.now()).total_seconds())

    def has_passed(self) -> bool:
        return self.at is not None and timezone.now() >= self.at

    def check(self) -> None:
        if self.has_passed():
            raise DeadlineExceeded("The request ran out of time.")

    def earlier(self, moment: datetime | None) -> datetime | None:
        """This deadline or that moment, whichever comes first; None when neither ever does."""
        moments = [each for each in (self.at, moment) if each is not None]
        return min(moments, default=None)

    @contextmanager
    def setting(self, stop: StopSignal) -> Iterator[None]:
        """Sets the signal when time is up, so that a model call or tool that is under way ends."""
        if self.at is None:
            yield
            return
        timer = threading.Timer(self.remaining_s(), stop.set, [DEADLINE])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
