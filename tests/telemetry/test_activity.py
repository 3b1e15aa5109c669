"""The figures of a span of time, against the same requests counted by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from agents.models import Agent
from runtime.kinds import Status
from telemetry.query.activity import activity
from telemetry.query.buckets import Buckets
from telemetry.query.failures import failures, fingerprint
from telemetry.query.measures import percentile
from telemetry.query.present import present
from telemetry.query.requests import read_request_filter
from telemetry.query.slowest import slowest
from tests.factories import AgentFactory, InteractionFactory
from tests.pages.history import past_request
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = {"from": "2026-11-20T00:00", "to": "2026-11-21T00:00"}


@pytest.fixture
def desk(workspace: Workspace) -> Agent:
    return AgentFactory.create(workspace=workspace, agent_id="desk")


def test_sums_and_percentiles_are_those_of_the_rows(
    workspace: Workspace, other_workspace: Workspace, desk: Agent
) -> None:
    for number, ms in enumerate([1000, 2000, 3000, 4000]):
        past_request(desk, NOON + timedelta(minutes=number), ms=ms)
    past_request(desk, NOON + timedelta(hours=3), error="The model is down.", ms=9000, has_unknown_price=True)
    past_request(desk, NOON + timedelta(hours=4), ms=None, model="")
    past_request(desk, NOON - timedelta(days=1), ms=500)
    past_request(AgentFactory.create(workspace=other_workspace), NOON)
    found = activity(workspace, read_request_filter(DAY))
    now = found.now
    assert (now.requests, now.failed, now.unpriced, now.tokens) == (6, 1, 1, 720)
    assert now.cost_usd == Decimal(3)
    assert now.p50_ms == 3000
    assert now.p95_ms == pytest.approx(8000)
    assert (found.before.requests, found.before.p50_ms) == (1, 500)
    assert {model: each.requests for model, each in found.by("model").items()} == {"haiku": 5, "": 1}


def test_buckets_hold_what_their_ends_enclose(workspace: Workspace, desk: Agent) -> None:
    for minutes in (-1, 0, 59, 60, 119):
        past_request(desk, NOON + timedelta(minutes=minutes))
    which = read_request_filter(DAY)
    found = activity(workspace, which)
    by_bucket = found.by("bucket")
    told = {bucket.since: by_bucket[bucket.number].requests for bucket in found.buckets if bucket.number in by_bucket}
    assert told == {NOON - timedelta(hours=1): 1, NOON: 2, NOON + timedelta(hours=1): 2}
    for bucket in found.buckets:
        rows = workspace.agent_requests.filter(accepted_at__gte=bucket.since, accepted_at__lt=bucket.until).count()
        assert rows == (by_bucket[bucket.number].requests if bucket.number in by_bucket else 0)


@pytest.mark.parametrize("preset", ["15m", "1h", "24h", "7d", "30d", "90d"])
def test_buckets_cover_the_span_without_gap(preset: str) -> None:
    since, until = read_request_filter({"range": preset}).span.ends
    buckets = list(Buckets.of(since, until, ZoneInfo("Asia/Kathmandu")))
    assert (buckets[0].since, buckets[-1].until) == (since, until)
    assert all(one.until == later.since for one, later in pairwise(buckets))
    assert 10 <= len(buckets) <= 33
    assert 2 <= sum(bool(bucket.axis) for bucket in buckets) <= 8


def test_days_begin_at_the_readers_midnight_whatever_the_clocks_did() -> None:
    zone = ZoneInfo("Europe/Berlin")
    buckets = list(Buckets.of(datetime(2026, 10, 10, 9, tzinfo=UTC), datetime(2026, 11, 9, 9, tzinfo=UTC), zone))
    assert [bucket.since.hour for bucket in buckets if not bucket.is_partial][-1] == 0
    assert {bucket.axis for bucket in buckets if bucket.axis} >= {"22 Oct", "03 Nov"}


@pytest.mark.parametrize(("fraction", "expected"), [(0, 1), (0.5, 2.5), (1, 4), (0.95, pytest.approx(3.85))])
def test_percentiles_lie_between_their_neighbours(fraction: float, expected: float) -> None:
    assert percentile([1, 2, 3, 4], fraction) == expected
    assert percentile([], fraction) is None


def test_failures_that_say_the_same_are_one_kind(workspace: Workspace, desk: Agent) -> None:
    for number in (1, 22, 333):
        past_request(
            desk, NOON + timedelta(minutes=number), error=f"Rate limit of {number} per minute (req_ab{number}cde)."
        )
    past_request(desk, NOON, error="Something else.")
    past_request(desk, NOON - timedelta(days=2), error="Something else.")
    found = failures(workspace, read_request_filter(DAY), most=5)
    assert [(kind.requests, kind.code) for kind in found.kinds] == [(3, "provider_error"), (1, "provider_error")]
    assert "333" in found.kinds[0].text
    assert not found.is_capped


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Timed out after 3.5 s", "Timed out after 12 s"),
        ("No row 2f9c1a7e-0000-4000-8000-000000000001", "No row 9b1d5b90-1111-4111-8111-111111111111"),
        ("Unknown tool 'search'", "Unknown tool 'fetch'"),
        ("call toolu_01AbCdEf failed", "call toolu_99ZyXwVu failed"),
    ],
)
def test_what_varies_is_no_part_of_a_fingerprint(one: str, other: str) -> None:
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint("Something else")


def test_the_slowest_come_first_and_the_unfinished_not_at_all(workspace: Workspace, desk: Agent) -> None:
    for ms in (10, 3000, 200, None):
        past_request(desk, NOON, ms=ms)
    assert [row.duration_s for row in slowest(workspace.agent_requests.all(), most=2)] == [3.0, 0.2]


def test_the_slowest_are_where_the_activity_says(workspace: Workspace, desk: Agent) -> None:
    for hour in range(20):
        for number in range(3):
            past_request(
                desk, NOON - timedelta(hours=hour - 4, minutes=number), ms=(hour * 7919 + number * 104729) % 5000
            )
    which = read_request_filter(DAY)
    rows, place = which.apply(workspace), activity(workspace, which).of_longest(5)
    assert 0 < rows.filter(place).count() < rows.count()
    assert slowest(rows.filter(place), most=5) == slowest(rows, most=5)


def test_the_present_counts_each_state(workspace: Workspace, desk: Agent) -> None:
    now = timezone.now()
    past_request(desk, now, ms=None)
    past_request(desk, now, ms=None, status=Status.RUNNING, lease_expires_at=now + timedelta(minutes=1), session_id="a")
    past_request(desk, now, ms=None, status=Status.RUNNING, lease_expires_at=now - timedelta(minutes=1), session_id="b")
    past_request(desk, now - timedelta(minutes=30), error="late")
    past_request(desk, now - timedelta(hours=2), error="long ago")
    asking = past_request(desk, now, ms=None, status=Status.PAUSED, session_id="c")
    InteractionFactory.create(workspace=workspace, agent_request=asking)
    found = present(workspace, read_request_filter({}))
    assert (found.queued, found.running, found.stalled, found.failed, found.questions) == (1, 2, 1, 1, 1)
    assert found.cursor == workspace.events.order_by("-id").values_list("id", flat=True)[0]
    assert present(workspace, read_request_filter({"agent": "nobody"})).running == 0
