"""Where a span's bar stands in its lane: percent of the time that the page shows, so that it fits any width."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from telemetry.show.figures import duration
from telemetry.show.spans import Span

_LEAST_WIDTH = 0.3
_NICE = (1, 2, 5, 10)
_MOST_TICKS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """In percent of the lane."""

    x: str
    width: str
    is_open: bool
    """It goes on: there is no right edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    x: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    began: datetime
    ended: datetime
    now: datetime
    """Where bars end that go on."""

    @property
    def seconds(self) -> float:
        return max(0.001, (self.ended - self.began).total_seconds())

    def bar(self, span: Span) -> Bar:
        start = self._percent(span.began)
        end = self._percent(span.ended or self.now)
        width = max(_LEAST_WIDTH, end - start)
        return Bar(x=f"{min(start, 100 - _LEAST_WIDTH):.2f}", width=f"{width:.2f}", is_open=span.ended is None)

    def ticks(self) -> list[Tick]:
        """On round numbers of seconds, at most eight."""
        step = _nice_step(self.seconds / _MOST_TICKS)
        count = int(self.seconds / step)
        return [
            Tick(x=f"{100 * number * step / self.seconds:.2f}", label=duration(number * step))
            for number in range(count + 1)
        ]

    def _percent(self, moment: datetime) -> float:
        return min(100.0, max(0.0, 100 * (moment - self.began).total_seconds() / self.seconds))


def axis_of(spans: Iterable[Span], now: datetime, *, is_growing: bool) -> Axis:
    """As long as what it shows; while that grows, up to a round time ahead, so that bars seldom move."""
    spans = list(spans)
    began = min((span.began for span in spans), default=now)
    ended = max((span.ended or now for span in spans), default=now)
    seconds = max(0.001, (ended - began).total_seconds())
    if is_growing:
        seconds = _nice_step(seconds * 1.15)
    return Axis(began=began, ended=began + timedelta(seconds=seconds), now=now)


def _nice_step(least: float) -> float:
    size = 0.001
    while True:
        for nice in _NICE:
            if size * nice >= least:
                return size * nice
        size *= 10
