"""Makes, changes and removes schedules; each change sets the timer anew."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.json_schema import faults_of
from runtime.events import storable
from workflows.errors import ScheduleExists
from workflows.models import Workflow
from workflows.schedules.models import Schedule
from workflows.schedules.timers import drop_timer, set_timer
from workflows.schedules.times import LONGEST_S, SHORTEST_S, cron_fault, is_zone, next_time
from workspaces import audit
from workspaces.api.envelope import InvalidBody

FIELDS = (
    "name",
    "kind",
    "cron",
    "zone",
    "every_s",
    "at",
    "input",
    "overlap",
    "catch_up",
    "jitter_s",
    "is_paused",
)


def make_schedule(workflow: Workflow, values: Mapping[str, Any], *, by: str) -> Schedule:
    """Of the kind that its times say, where none is named. Raises `InvalidBody`, with the fields that make no sense, and
    `ScheduleExists`.
    """
    now = timezone.now()
    schedule = Schedule(workspace=workflow.workspace, workflow=workflow, created_by=by, created_at=now, began_at=now)
    return change_schedule(schedule, {"kind": _kind_of(values), **values}, by=by)


def change_schedule(schedule: Schedule, values: Mapping[str, Any], *, by: str) -> Schedule:
    """What is missed while it was paused, or meant by the old times, is not run."""
    before = schedule.at
    for name in FIELDS:
        if name in values:
            setattr(schedule, name, values[name])
    schedule.input = storable(schedule.input)
    faults = schedule_faults(schedule)
    if schedule.at and schedule.at != before and schedule.at <= timezone.now():
        faults["at"] = "That time has passed."
    if faults:
        errors = [{"type": "value_error", "loc": ["body", name], "msg": text} for name, text in faults.items()]
        raise InvalidBody(errors)
    schedule.next_at = next_time(schedule, timezone.now())
    try:
        with transaction.atomic():
            schedule.save()
            set_timer(schedule)
            _record(schedule, "schedule.changed", by=by)
    except IntegrityError as error:
        raise ScheduleExists(f"There is a schedule {schedule.name!r} already.", details={"field": "name"}) from error
    return schedule


def remove_schedule(schedule: Schedule, *, by: str) -> None:
    """Its runs stay."""
    with transaction.atomic():
        drop_timer(schedule.pk)
        _record(schedule, "schedule.removed", by=by)
        schedule.delete()


def schedule_faults(schedule: Schedule) -> dict[str, str]:
    """By field, what makes no sense."""
    faults = {}
    if not schedule.name.strip():
        faults["name"] = "A schedule needs a name."
    if schedule.kind == Schedule.Kind.CRON and (fault := cron_fault(schedule.cron)):
        faults["cron"] = fault
    if schedule.kind == Schedule.Kind.INTERVAL and not SHORTEST_S <= (schedule.every_s or 0) <= LONGEST_S:
        faults["every_s"] = f"Between {SHORTEST_S} seconds and a year."
    if schedule.kind == Schedule.Kind.ONCE and schedule.at is None:
        faults["at"] = "When?"
    if not is_zone(schedule.zone):
        faults["zone"] = f"There is no time zone {schedule.zone[:60]!r}; write it as in Europe/Berlin."
    version = schedule.workflow.current_version
    schema = version.typed_definition.input_schema if version else None
    if schema is not None and (told := faults_of(schema, schedule.input)):
        faults["input"] = "; ".join(told)
    return faults


def _kind_of(values: Mapping[str, Any]) -> str:
    if values.get("at"):
        return Schedule.Kind.ONCE
    return Schedule.Kind.INTERVAL if values.get("every_s") else Schedule.Kind.CRON


def _record(schedule: Schedule, action: str, *, by: str) -> None:
    about = {"workflow": schedule.workflow.workflow_id, "is_paused": schedule.is_paused}
    audit.record(schedule.workspace, actor=by, action=action, target=schedule.name, details=about)
