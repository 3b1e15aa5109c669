"""What the requests of a span of time amount to: together, bucket by bucket, by agent and by model.

The rows are those of the list of requests with the same filter, grouped by the database in one statement and one scan.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal

from django.db.models import Case, Count, F, Max, Q, Sum, Value, When
from django.utils import timezone

from runtime.kinds import Status
from telemetry.query.buckets import Buckets
from telemetry.query.measures import Listed, MillisecondsBetween, UnixSeconds, numbers, percentile
from telemetry.query.ranges import TimeRange
from telemetry.query.requests import RequestFilter
from workspaces.models import Workspace

_BEFORE = -1
Grouping = Literal["bucket", "agent", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of some requests. Those that have not ended count, and have no duration."""

    requests: int = 0
    failed: int = 0
    unpriced: int = 0
    """Requests with calls whose price is not known."""
    tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    last_at: datetime | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None

    @property
    def error_rate(self) -> float | None:
        """Of all of them, in percent."""
        return 100 * self.failed / self.requests if self.requests else None


@dataclass(frozen=True, slots=True)
class Group:
    """What the database gives: the smallest groups, of which all others are sums."""

    bucket: int
    agent: str
    model: str
    requests: int
    failed: int
    unpriced: int
    tokens: int
    cost_usd: Decimal
    last_at: datetime
    durations_ms: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    buckets: Buckets
    groups: Sequence[Group]
    earlier: Sequence[Group]

    @property
    def now(self) -> Figures:
        return _figures(self.groups)

    @property
    def before(self) -> Figures:
        """Of the span of the same length before this one."""
        return _figures(self.earlier)

    def by(self, *names: Grouping) -> Mapping[Any, Figures]:
        """By the value of one of these, or by the values of several."""
        key, parts = attrgetter(*names), defaultdict[Any, list[Group]](list)
        for group in self.groups:
            parts[key(group)].append(group)
        return {value: _figures(groups) for value, groups in parts.items()}


def activity(workspace: Workspace, which: RequestFilter) -> Activity:
    since, until = which.span.ends
    buckets = Buckets.of(since, until, timezone.get_current_timezone())
    # The span before it comes along, as one bucket.
    both = replace(which, span=TimeRange(since=since - (until - since), until=until))
    number = (UnixSeconds("accepted_at") + Value(buckets.offset_s)) / Value(buckets.step_s)
    rows = (
        both.apply(workspace)
        .order_by()
        .values_list(
            Case(When(accepted_at__lt=since, then=Value(_BEFORE)), default=number), F("agent__agent_id"), F("model")
        )
        .annotate(
            requests=Count("pk"),
            failed=Count("pk", filter=Q(status=Status.FAILED)),
            unpriced=Count("pk", filter=Q(has_unknown_price=True)),
            tokens=Sum("input_tokens") + Sum("output_tokens"),
            cost=Sum("cost_usd"),
            last_at=Max("accepted_at"),
            durations_ms=Listed(MillisecondsBetween("accepted_at", "finished_at")),
        )
    )
    groups = [Group(*row, numbers(durations_ms)) for *row, durations_ms in rows]
    return Activity(
        buckets=buckets,
        groups=[group for group in groups if group.bucket != _BEFORE],
        earlier=[group for group in groups if group.bucket == _BEFORE],
    )


def _figures(groups: Iterable[Group]) -> Figures:
    groups = list(groups)
    durations = sorted(number for group in groups for number in group.durations_ms)
    return Figures(
        requests=sum(group.requests for group in groups),
        failed=sum(group.failed for group in groups),
        unpriced=sum(group.unpriced for group in groups),
        tokens=sum(group.tokens for group in groups),
        cost_usd=sum((group.cost_usd for group in groups), start=Decimal(0)),
        last_at=max((group.last_at for group in groups), default=None),
        p50_ms=percentile(durations, 0.5),
        p95_ms=percentile(durations, 0.95),
        p99_ms=percentile(durations, 0.99),
    )
