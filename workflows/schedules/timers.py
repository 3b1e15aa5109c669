"""django-q2 keeps the time: one of its own schedules, of the kind that runs once, for the next time of each of ours.

Its scheduler would look twice a minute; `look` lets it look every second. A timer whose task was lost with the queue is set anew.
"""

import time
from datetime import timedelta

from django.utils import timezone
from django_q.models import Schedule as Timer
from django_q.scheduler import scheduler

from workflows.schedules.models import Schedule
from workflows.schedules.times import jitter

FIRE = "workflows.schedules.fire.fire"
_LOST_AFTER = timedelta(seconds=60)
_SEEK_LOST_EVERY_S = 30.0


def set_timer(schedule: Schedule) -> None:
    """Replaces the schedule's timer; one that is paused, or has no next time, has none. Call it in the change's transaction."""
    name = _name(schedule.pk)
    Timer.objects.filter(name=name).delete()
    if schedule.next_at is None or schedule.is_paused:
        return
    Timer.objects.create(
        name=name,
        func=FIRE,
        args=repr((schedule.pk, schedule.next_at.isoformat())),
        schedule_type=Timer.ONCE,
        repeats=-1,
        next_run=schedule.next_at + jitter(schedule, schedule.next_at),
    )


def drop_timer(schedule_pk: int) -> None:
    Timer.objects.filter(name=_name(schedule_pk)).delete()


class Look:
    """Every second, in each worker process: lets django-q2 hand over what is due, and now and then seeks what was lost."""

    def __init__(self) -> None:
        self._sought_at = 0.0

    def __call__(self) -> None:
        if Timer.objects.filter(next_run__lt=timezone.now()).exists():
            scheduler()
        if time.monotonic() - self._sought_at >= _SEEK_LOST_EVERY_S:
            self._sought_at = time.monotonic()
            _set_lost_timers()


def _set_lost_timers() -> None:
    overdue = Schedule.rows.filter(is_paused=False, next_at__lt=timezone.now() - _LOST_AFTER)
    for schedule in overdue:
        late = timezone.now() - (schedule.next_at or timezone.now())
        is_lost = late > _LOST_AFTER + timedelta(seconds=schedule.jitter_s)
        if is_lost and not Timer.objects.filter(name=_name(schedule.pk)).exists():
            set_timer(schedule)


def _name(schedule_pk: int) -> str:
    return f"mash schedule {schedule_pk}"
