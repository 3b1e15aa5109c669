"""Cuts a span of time into pieces of a length that people count in, at the hours and days of their clocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

MOST_BUCKETS = 32
MOST_LABELS = 6
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS_S = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 7, 14, 28, 91, 364)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """From `since` up to, and not including, `until`."""

    number: int
    since: datetime
    until: datetime
    is_partial: bool
    """It is shorter than the others, so its counts are no match for theirs."""
    axis: str
    """What stands under it; empty for most."""

    @property
    def label(self) -> str:
        begins = f"{self.since:%d %b %H:%M}"
        is_same_day = (self.until - timedelta(microseconds=1)).date() == self.since.date()
        return f"{begins} to {self.until:%H:%M}" if is_same_day else f"{begins} to {self.until:%d %b %H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    since: datetime
    until: datetime
    step_s: int
    offset_s: int
    """Of the reader's zone when the span ends: a day stays as long as the others when clocks change."""
    zone: tzinfo

    @classmethod
    def of(cls, since: datetime, until: datetime, zone: tzinfo, *, most: int = MOST_BUCKETS) -> "Buckets":
        length = (until - since).total_seconds()
        step = next((step for step in _STEPS_S if length / step <= most), _STEPS_S[-1])
        offset = until.astimezone(zone).utcoffset() or timedelta(0)
        return cls(since=since, until=until, step_s=step, offset_s=int(offset.total_seconds()), zone=zone)

    def number_of(self, at: datetime) -> int:
        return (int(at.timestamp()) + self.offset_s) // self.step_s

    def __iter__(self) -> Iterator[Bucket]:
        first, last = self.number_of(self.since), self.number_of(self.until - timedelta(microseconds=1))
        # Every so many buckets a label, at the same times whenever one looks.
        count = last - first + 1
        apart = next((apart for apart in (1, 2, 3, 4, 6, 7, 14, 28) if count / apart <= MOST_LABELS), count)
        for number in range(first, last + 1):
            since, until = self._begin(number), self._begin(number + 1)
            yield Bucket(
                number=number,
                since=max(since, self.since).astimezone(self.zone),
                until=min(until, self.until).astimezone(self.zone),
                is_partial=since < self.since or until > self.until,
                axis=self._axis(since) if number % apart == 0 else "",
            )

    def _begin(self, number: int) -> datetime:
        return datetime.fromtimestamp(number * self.step_s - self.offset_s, UTC)

    def _axis(self, begins: datetime) -> str:
        local = begins.astimezone(self.zone)
        if self.step_s < _DAY:
            return f"{local:%H:%M}" if (local.hour, local.minute) != (0, 0) else f"{local:%d %b}"
        # Past a change of clocks a day's bucket begins an hour beside midnight.
        return f"{local + timedelta(hours=2):%d %b}"
