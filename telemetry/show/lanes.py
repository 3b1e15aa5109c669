"""Where a span's bar stands in its lane: percent of the time that the page shows, so that it fits any width."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from telemetry.show.figures import duration
from telemetry.show.outline import Stretch, idle_stretches
from telemetry.show.spans import Span

_LEAST_WIDTH = 0.3
_NICE = (1, 2, 5, 10)
_MOST_TICKS = 8
_LEAST_TICK = 8.0
"""Percent of the lane that a tick's label needs."""
_LONG_IDLE = 0.08
_IDLE_WIDTH = 3.0
"""Percent of the lane that a compressed stretch of idle time keeps."""
_WHOLE: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 100.0))


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
    width: str = "0"
    """Up to the next one."""
    since: str = ""
    until: str = ""
    """Seconds of the request, to look at just this part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    began: datetime
    ended: datetime
    now: datetime
    """Where bars end that go on."""
    offset_s: float = 0.0
    """From the request's beginning, when only a part of it is shown."""
    points: tuple[tuple[float, float], ...] = _WHOLE
    """Share of the time, and percent of the lane up to there; straight in between."""

    @property
    def seconds(self) -> float:
        return max(0.001, (self.ended - self.began).total_seconds())

    def bar(self, span: Span) -> Bar:
        start = self._percent(span.began)
        end = self._percent(span.ended or self.now)
        width = max(_LEAST_WIDTH, end - start)
        return Bar(x=f"{min(start, 100 - _LEAST_WIDTH):.2f}", width=f"{width:.2f}", is_open=span.ended is None)

    def shows(self, span: Span) -> bool:
        return span.began <= self.ended and (span.ended or self.now) >= self.began

    def ticks(self) -> list[Tick]:
        """On round numbers of seconds, at most eight, none too close to the next."""
        step = _nice_step(self.seconds / _MOST_TICKS)
        first = -(-self.offset_s // step)
        moments = [number * step - self.offset_s for number in range(int(first), int(first) + _MOST_TICKS + 2)]
        shown: list[tuple[float, float]] = []
        for moment in moments:
            place = self._place(moment / self.seconds)
            earliest = shown[-1][1] + _LEAST_TICK if shown else 0.0
            if 0 <= moment <= self.seconds and earliest <= place <= 100 - _LEAST_TICK:
                shown.append((moment, place))
        ends = [*shown[1:], (self.seconds, 100.0)]
        return [self._tick(*start, *end) for start, end in zip(shown, ends, strict=True)]

    def _tick(self, moment: float, place: float, next_moment: float, next_place: float) -> Tick:
        since, until = moment + self.offset_s, next_moment + self.offset_s
        return Tick(
            x=f"{place:.2f}",
            label=duration(since),
            width=f"{next_place - place:.2f}",
            since=f"{since:.3f}",
            until=f"{until:.3f}",
        )

    def _percent(self, moment: datetime) -> float:
        return self._place(min(1.0, max(0.0, (moment - self.began).total_seconds() / self.seconds)))

    def _place(self, share: float) -> float:
        after = min(len(self.points) - 1, max(1, bisect_right(self.points, (share, float("inf")))))
        (left, low), (right, high) = self.points[after - 1], self.points[after]
        return low + (high - low) * (share - left) / (right - left) if right > left else high


def axis_of(spans: Iterable[Span], now: datetime, *, is_growing: bool) -> Axis:
    """As long as what it shows; while that grows, up to a round time ahead, so that bars seldom move."""
    spans = list(spans)
    began = min((span.began for span in spans), default=now)
    ended = max((span.ended or now for span in spans), default=now)
    seconds = max(0.001, (ended - began).total_seconds())
    if is_growing:
        seconds = _nice_step(seconds * 1.15)
    return Axis(began=began, ended=began + timedelta(seconds=seconds), now=now)


def zoomed(axis: Axis, since: float, until: float) -> Axis:
    """Only these seconds of it."""
    since, until = max(0.0, min(since, axis.seconds)), max(0.0, min(until, axis.seconds))
    if until - since < 0.001:
        return axis
    began = axis.began + timedelta(seconds=since)
    return replace(axis, began=began, ended=axis.began + timedelta(seconds=until), offset_s=since)


def long_idle(axis: Axis, spans: Collection[Span]) -> list[Stretch]:
    """The stretches without work that are worth compressing."""
    stretches = idle_stretches(spans, axis.began, axis.ended)
    return [(start, end) for start, end in stretches if end - start > _LONG_IDLE * axis.seconds]


def compressed(axis: Axis, idle: Sequence[Stretch]) -> Axis:
    """With long stretches without work made short, and the rest in scale."""
    left = axis.seconds - sum(end - start for start, end in idle)
    if not idle or left <= 0:
        return axis
    scale = (100 - _IDLE_WIDTH * len(idle)) / left
    points, place, before = [(0.0, 0.0)], 0.0, 0.0
    for start, end in idle:
        place += (start - before) * scale
        points.append((start / axis.seconds, place))
        place += _IDLE_WIDTH
        points.append((end / axis.seconds, place))
        before = end
    return replace(axis, points=(*points, (1.0, 100.0)))


def _nice_step(least: float) -> float:
    size = 0.001
    while True:
        for nice in _NICE:
            if size * nice >= least:
                return size * nice
        size *= 10
