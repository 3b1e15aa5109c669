"""Schedules: their times over changes of daylight saving time, and what is started when they are due."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone
from django_q.models import Schedule as Timer
from django_q.signals import pre_enqueue
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Driver
from tests.workflows.conftest import Define
from tests.workflows.test_runs import step
from workflows.models import WorkflowRun
from workflows.schedules.change import change_schedule, make_schedule, remove_schedule
from workflows.schedules.fire import fire, run_now
from workflows.schedules.models import Schedule
from workflows.schedules.timers import FIRE, Look
from workflows.schedules.times import cron_fault, jitter, next_times, times_after
from workspaces.api.envelope import InvalidBody

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago")


@given(zone=st.sampled_from(ZONES), hour=st.integers(0, 23), minute=st.integers(0, 59))
def test_what_is_daily_happens_once_a_day_whatever_clocks_do(zone: str, hour: int, minute: int) -> None:
    schedule = Schedule(kind="cron", cron=f"{minute} {hour} * * *", zone=zone)
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    times = list(takewhile(lambda moment: moment < end, times_after(schedule, begin)))
    days = Counter(moment.astimezone(ZoneInfo(zone)).date() for moment in times)
    assert set(days.values()) == {1}
    assert 364 <= len(days) <= 366
    assert times == sorted(set(times))


def test_a_clock_that_is_set_forward_or_back() -> None:
    berlin = Schedule(kind="cron", cron="30 2 * * *", zone="Europe/Berlin")
    [spring] = next_times(berlin, datetime(2026, 3, 28, 12, tzinfo=UTC), 1)
    assert spring.astimezone(ZoneInfo("Europe/Berlin")).strftime("%d %H:%M") == "29 03:00", "02:30 does not exist"
    autumn = next_times(berlin, datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert [moment.strftime("%d %H:%M") for moment in autumn] == ["25 00:30", "26 01:30"]
    hourly = Schedule(kind="cron", cron="0 * * * *", zone="Europe/Berlin")
    times = next_times(hourly, datetime(2026, 10, 24, 22, 30, tzinfo=UTC), 4)
    assert [moment.hour for moment in times] == [23, 0, 1, 2], "every hour means every hour"


@given(every_s=st.integers(60, 10**6), passed_s=st.integers(-(10**7), 10**7))
def test_intervals_stay_on_their_grid(every_s: int, passed_s: int) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    schedule = Schedule(kind="interval", every_s=every_s, began_at=began)
    moment = began + timedelta(seconds=passed_s)
    times = next_times(schedule, moment)
    assert times[0] > moment
    assert all((time - began) % timedelta(seconds=every_s) == timedelta() for time in times)
    assert times[0] - timedelta(seconds=every_s) <= moment or times[0] == began


@pytest.mark.parametrize("text", ["", "* * * *", "* * * * * *", "61 * * * *", "0 9 * * MON-", "@daily"])
def test_what_is_no_cron_expression_is_said(text: str) -> None:
    assert cron_fault(text)


def every_minute(define: Define, **more: Any) -> Schedule:
    workflow = define({"id": "wait", "kind": "wait", "signal": "go"}, **more.pop("about", {}))
    return make_schedule(workflow, {"name": "tick", "kind": "cron", "cron": "* * * * *", **more}, by="tests")


def due(schedule: Schedule) -> tuple[int, str]:
    schedule.refresh_from_db()
    assert schedule.next_at
    return schedule.pk, schedule.next_at.isoformat()


def run_times(schedule: Schedule) -> list[datetime | None]:
    return list(schedule.runs.order_by("pk").values_list("scheduled_for", flat=True))


@pytest.fixture
def handed_over() -> Iterator[list[Any]]:
    """Arguments of the calls of `fire` that django-q2 has put into its queue."""
    calls: list[Any] = []

    def note(task: dict[str, Any], **_: Any) -> None:
        if task["func"] == FIRE:
            calls.append(task["args"])

    pre_enqueue.connect(note)
    yield calls
    pre_enqueue.disconnect(note)


def test_django_q2_hands_over_what_is_due(transactional_db: None, define: Define, handed_over: list[Any]) -> None:
    with time_machine.travel(datetime(2026, 5, 1, 10, 0, 30, tzinfo=UTC), tick=False) as clock:
        schedule = every_minute(define)
        look = Look()
        look()
        assert handed_over == []
        clock.shift(31)
        arguments = due(schedule)
        look()
        assert handed_over == [arguments]
        fire(*arguments)
        fire(*arguments)
        assert run_times(schedule) == [datetime(2026, 5, 1, 10, 1, tzinfo=UTC)]
        [run] = schedule.runs.select_related("agent_request")
        assert (run.trigger, run.agent_request.created_by) == ("schedule", "schedule:tick")
        assert Timer.objects.get().next_run == datetime(2026, 5, 1, 10, 2, tzinfo=UTC)
        # The queue is lost, and with it the next task
        clock.shift(60)
        look()
        assert len(handed_over) == 2
        clock.shift(120)
        Look()()
        assert Timer.objects.count() == 1


@pytest.mark.parametrize(("catch_up", "count"), [("none", 0), ("latest", 1), ("all", 5)])
def test_what_was_missed_is_caught_up_with_as_wanted(db: None, define: Define, catch_up: str, count: int) -> None:
    with time_machine.travel(datetime(2026, 5, 1, 10, 0, 30, tzinfo=UTC), tick=False) as clock:
        schedule = make_schedule(
            define(step("only", input="`1`")),
            {"name": "tick", "kind": "interval", "every_s": 600, "catch_up": catch_up, "overlap": "queue"},
            by="tests",
        )
        clock.shift(50 * 60 + 300)
        fire(*due(schedule))
        schedule.refresh_from_db()
        assert (len(run_times(schedule)), schedule.skipped) == (count, 5 - count)
        assert schedule.next_at == datetime(2026, 5, 1, 11, 0, 30, tzinfo=UTC)


def test_a_run_that_goes_on_is_skipped_queued_behind_or_cancelled(
    transactional_db: None, define: Define, run_requests: Driver
) -> None:
    outcomes = {}
    for overlap in ("skip", "queue", "cancel"):
        schedule = every_minute(define, name=overlap, overlap=overlap, about={"workflow_id": overlap})
        for _ in range(2):
            schedule.next_at = timezone.now() - timedelta(seconds=1)
            schedule.save()
            fire(*due(schedule))
            run_requests()
        outcomes[overlap] = list(schedule.runs.order_by("pk").values_list("agent_request__status", flat=True))
    assert outcomes == {"skip": ["paused"], "queue": ["paused", "accepted"], "cancel": ["cancelled", "paused"]}


def test_what_is_paused_changed_or_removed_has_no_old_timer(db: None, define: Define) -> None:
    schedule = every_minute(define)
    arguments = due(schedule)
    change_schedule(schedule, {"is_paused": True}, by="tests")
    assert not Timer.objects.exists()
    fire(*arguments)
    change_schedule(
        schedule, {"is_paused": False, "kind": "once", "at": timezone.now() + timedelta(days=1)}, by="tests"
    )
    assert Timer.objects.get().next_run == schedule.at
    fire(*arguments)
    assert run_times(schedule) == []
    run_now(schedule, by="ada")
    assert run_times(schedule) == [None]
    remove_schedule(schedule, by="tests")
    assert not Timer.objects.exists()
    assert WorkflowRun.rows.get().schedule is None


def test_a_schedule_that_cannot_start_says_why_and_goes_on(db: None, define: Define) -> None:
    schedule = every_minute(define)
    type(schedule.workflow).rows.filter(pk=schedule.workflow.pk).update(is_enabled=False)
    schedule.next_at = timezone.now() - timedelta(seconds=1)
    schedule.save()
    fire(*due(schedule))
    schedule.refresh_from_db()
    assert "switched off" in schedule.fault
    assert schedule.next_at > timezone.now()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"cron": "every day"}, "cron"),
        ({"zone": "Berlin"}, "zone"),
        ({"kind": "interval", "every_s": 5}, "every_s"),
        ({"kind": "once"}, "at"),
        ({"kind": "once", "at": datetime(2020, 1, 1, tzinfo=UTC)}, "at"),
        ({"name": " "}, "name"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(db: None, define: Define, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidBody) as refused:
        every_minute(define, **values)
    assert refused.value.details["errors"][0]["loc"] == ["body", field]


def test_jitter_is_the_same_whoever_asks() -> None:
    schedule, moment = Schedule(pk=7, jitter_s=30), datetime(2026, 1, 1, tzinfo=UTC)
    assert jitter(schedule, moment) == jitter(schedule, moment)
    assert timedelta() <= jitter(schedule, moment) <= timedelta(seconds=30)
