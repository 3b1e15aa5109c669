"""The times of a schedule. Pure: cron in a time zone, right over changes of daylight saving time, intervals, once.

What a clock skips when it is set forward runs right after; what it shows twice runs once, unless the expression means every
hour (as Debian's cron, by `cronsim`).
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import available_timezones

from cronsim import CronSim, CronSimError

from workflows.schedules.models import Schedule

SHORTEST_S = 60
LONGEST_S = 366 * 86_400
MOST_MISSED = 100
"""Of missed times that are looked at; older ones are left out."""


def times_after(schedule: Schedule, moment: datetime) -> Iterator[datetime]:
    """Every later time, in UTC; ends where there is none."""
    match schedule.kind:
        case Schedule.Kind.CRON:
            for found in CronSim(schedule.cron, moment.astimezone(schedule.time_zone)):
                yield found.astimezone(UTC)
        case Schedule.Kind.INTERVAL:
            step = timedelta(seconds=schedule.every_s or SHORTEST_S)
            passed = max(0, (moment - schedule.began_at) // step)
            number = passed if schedule.began_at > moment else passed + 1
            while True:
                yield schedule.began_at + number * step
                number += 1
        case _:
            if schedule.at and schedule.at > moment:
                yield schedule.at


def next_times(schedule: Schedule, moment: datetime, count: int = 5) -> list[datetime]:
    return list(islice(times_after(schedule, moment), count))


def next_time(schedule: Schedule, moment: datetime) -> datetime | None:
    return next(times_after(schedule, moment), None)


def due_times(schedule: Schedule, first: datetime, now: datetime) -> list[datetime]:
    """From the first one that is due until now, the latest hundred of them."""
    due = [first, *takewhile(lambda moment: moment <= now, islice(times_after(schedule, first), 10_000))]
    return due[-MOST_MISSED:]


def jitter(schedule: Schedule, moment: datetime) -> timedelta:
    """How much later than its time a run starts: the same whoever asks."""
    rng = random.Random(f"{schedule.pk}:{moment.isoformat()}")  # noqa: S311  nothing secret
    return timedelta(seconds=rng.random() * schedule.jitter_s)


def cron_fault(text: str) -> str:
    """Why this is no cron expression of five fields; empty when it is one."""
    try:
        CronSim(text, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        return f"Not a cron expression: {error}."[:200]
    return "" if len(text.split()) == 5 else "A cron expression has five fields: minute, hour, day, month, weekday."


def is_zone(name: str) -> bool:
    return name in available_timezones()
