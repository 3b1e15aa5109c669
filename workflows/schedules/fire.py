"""Starts what is due; django-q2 calls `fire` in a worker process."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from runtime.cancel import cancel_request
from runtime.kinds import Reason
from runtime.models import AgentRequest
from workflows.models import WorkflowRun
from workflows.schedules.models import Schedule
from workflows.schedules.timers import set_timer
from workflows.schedules.times import due_times, next_time
from workflows.start import Trigger, find_workflow, start_run
from workspaces.errors import MashError

logger = logging.getLogger(__name__)

PUNCTUAL = timedelta(seconds=60)
"""A run that starts within this time of its own has not been missed."""


def fire(schedule_pk: int, due: str) -> None:
    """Starts the runs that are due since `due`, an ISO time, and sets the next timer. Whoever comes second does nothing."""
    schedule = Schedule.rows.filter(pk=schedule_pk).first()
    if schedule is None or not _is_expected(schedule, due):
        return
    if schedule.overlap == Schedule.Overlap.CANCEL:
        # Not in the transaction below: a family of requests ends in several.
        for row in _active(schedule):
            cancel_request(row, reason=Reason.SUPERSEDED, by=actor_of(schedule))
    with transaction.atomic():
        schedule = Schedule.rows.select_for_update(no_key=True).get(pk=schedule_pk)
        if _is_expected(schedule, due):
            _fire(schedule, timezone.now())


def run_now(schedule: Schedule, *, by: str) -> WorkflowRun:
    """One run outside of its times, whatever goes on already."""
    workflow = find_workflow(schedule.workspace, schedule.workflow.workflow_id)
    return start_run(workflow, schedule.input, by=by, trigger=Trigger.SCHEDULE, schedule=schedule)


def actor_of(schedule: Schedule) -> str:
    return f"schedule:{schedule.name}"


def _is_expected(schedule: Schedule, due: str) -> bool:
    return not schedule.is_paused and schedule.next_at is not None and schedule.next_at.isoformat() == due


def _fire(schedule: Schedule, now: datetime) -> None:
    assert schedule.next_at  # noqa: S101  it is expected
    due = due_times(schedule, schedule.next_at, now)
    wanted = _wanted(schedule, due, now)
    started = sum(_start(schedule, moment) for moment in wanted)
    schedule.skipped = F("skipped") + len(due) - started
    schedule.last_at, schedule.next_at = due[-1], next_time(schedule, now)
    schedule.save(update_fields=["skipped", "last_at", "next_at", "fault"])
    schedule.refresh_from_db()
    set_timer(schedule)


def _wanted(schedule: Schedule, due: Sequence[datetime], now: datetime) -> list[datetime]:
    """Of the times that are due, those that are not left out as missed."""
    if schedule.catch_up == Schedule.CatchUp.ALL:
        return list(due)
    if schedule.catch_up == Schedule.CatchUp.LATEST:
        return list(due[-1:])
    patience = PUNCTUAL + timedelta(seconds=schedule.jitter_s)
    return [moment for moment in due[-1:] if now - moment <= patience]


def _start(schedule: Schedule, moment: datetime) -> bool:
    """Whether a run was started for this time."""
    if schedule.overlap == Schedule.Overlap.SKIP and _active(schedule):
        schedule.fault = "The run before was not finished."
        return False
    try:
        with transaction.atomic():
            workflow = find_workflow(schedule.workspace, schedule.workflow.workflow_id)
            start_run(
                workflow,
                schedule.input,
                by=actor_of(schedule),
                trigger=Trigger.SCHEDULE,
                schedule=schedule,
                scheduled_for=moment,
            )
    except MashError as error:
        logger.warning("Schedule %s cannot start a run: %s", schedule, error, extra={"action": "schedule.failed"})
        schedule.fault = error.message[:500]
        return False
    schedule.fault = ""
    return True


def _active(schedule: Schedule) -> list[AgentRequest]:
    rows = schedule.workspace.agent_requests.unfinished().filter(workflow_run__schedule=schedule)
    return list(rows.with_agent().order_by("pk")[:100])
