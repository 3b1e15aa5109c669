"""What the requests of a span of time amount to: together, bucket by bucket, by agent and by model.

The rows are those of the list of requests with the same filter, grouped by the database in one statement and one scan.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property, reduce
from heapq import nlargest
from itertools import chain
from operator import attrgetter, or_
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
    """The longest last."""


class Figures:
    """Of some requests. Those that have not ended count, and have no duration."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups = groups
        self.requests = sum(group.requests for group in groups)
        self.failed = sum(group.failed for group in groups)
        self.unpriced = sum(group.unpriced for group in groups)
        """Requests with calls whose price is not known."""
        self.tokens = sum(group.tokens for group in groups)
        self.cost_usd = sum((group.cost_usd for group in groups), start=Decimal(0))
        self.last_at = max((group.last_at for group in groups), default=None)

    @property
    def error_rate(self) -> float | None:
        """Of all of them, in percent."""
        return 100 * self.failed / self.requests if self.requests else None

    @property
    def p50_ms(self) -> float | None:
        return percentile(self._durations_ms, 0.5)

    @property
    def p95_ms(self) -> float | None:
        return percentile(self._durations_ms, 0.95)

    @property
    def p99_ms(self) -> float | None:
        return percentile(self._durations_ms, 0.99)

    @cached_property
    def _durations_ms(self) -> list[int]:
        """Put in order once somebody asks: most figures are only counted. Those of each group are in order already."""
        return sorted(chain.from_iterable(group.durations_ms for group in self._groups))


@dataclass(frozen=True, kw_only=True)
class Activity:
    buckets: Buckets
    groups: Sequence[Group]
    earlier: Sequence[Group]

    @cached_property
    def now(self) -> Figures:
        return Figures(self.groups)

    @cached_property
    def before(self) -> Figures:
        """Of the span of the same length before this one."""
        return Figures(self.earlier)

    def of_longest(self, most: int) -> Q:
        """Where to look for the requests that took longest, so that the others need not be looked at."""
        ended = (group for group in self.groups if group.durations_ms)
        found = {group.bucket for group in nlargest(most, ended, key=lambda group: group.durations_ms[-1])}
        spans = [(bucket.since, bucket.until) for bucket in self.buckets if bucket.number in found]
        return reduce(or_, (Q(accepted_at__gte=since, accepted_at__lt=until) for since, until in spans), Q())

    def by(self, *names: Grouping) -> Mapping[Any, Figures]:
        """By the value of one of these, or by the values of several."""
        key, parts = attrgetter(*names), defaultdict[Any, list[Group]](list)
        for group in self.groups:
            parts[key(group)].append(group)
        return {value: Figures(groups) for value, groups in parts.items()}


def activity(workspace: Workspace, which: RequestFilter, *, is_compared: bool = True) -> Activity:
    """`is_compared` asks for the span before it too, which comes along as one bucket."""
    since, until = which.span.ends
    buckets = Buckets.of(since, until, timezone.get_current_timezone())
    begin = since - (until - since) if is_compared else since
    both = replace(which, span=TimeRange(since=begin, until=until))
    number = (UnixSeconds("accepted_at") + Value(buckets.offset_s)) / Value(buckets.step_s)
    rows: Any = (
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
    groups = [Group(*(*row, numbers(durations_ms))) for *row, durations_ms in rows]
    return Activity(
        buckets=buckets,
        groups=[group for group in groups if group.bucket != _BEFORE],
        earlier=[group for group in groups if group.bucket == _BEFORE],
    )
