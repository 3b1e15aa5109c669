"""What a workspace has used in some days, as its page shows it; the numbers are those of `GET /api/v1/telemetry/usage`."""

import calendar
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal, get_args

from django.utils import timezone

from runtime.usage.reports import (
    Metric,
    Span,
    UsageGroup,
    UsageOf,
    groups_by_day,
    largest_groups,
    several_by_day,
)
from runtime.usage.totals import Totals, total
from workspaces.models import Workspace

By = Literal["agent", "model", "user"]
BYS: tuple[By, ...] = get_args(By)
METRICS: tuple[Metric, ...] = get_args(Metric)
Days = Mapping[date, Sequence[UsageGroup]]
MOST_GROUPS = 50
MOST_SERIES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Of the cost of this month: what it is so far, and what it comes to if the days go on as they went."""

    month: date
    so_far: Decimal
    projected: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    by: By
    metric: Metric
    days: Sequence[date]
    totals: Totals
    before: Totals
    """Of as many days before."""
    by_day: Mapping[date, Totals]
    groups: Sequence[UsageGroup]
    """The largest; more than `MOST_GROUPS` are not read."""
    series: Mapping[tuple[date, str], Totals]
    """Of the first groups, by their labels."""
    projection: Projection
    unpriced: Mapping[str, int]
    """Calls whose price is not known, by model."""


def read_report(workspace: Workspace, span: Span, by: By, metric: Metric, of: UsageOf) -> Report:
    days = days_of(span)
    now = timezone.now()
    month = now.astimezone(UTC).date().replace(day=1)
    earlier = Span(since=_midnight(days[0] - timedelta(days=len(days))), until=_midnight(days[0]))
    # One statement for the days that are shown, those before, this month's, and for models without a price.
    all_days = Span(since=min(earlier.since, _midnight(month)), until=max(span.until, now))
    few = several_by_day(workspace, ("model",) if by == "user" else ("agent", "model"), all_days, of=of)
    models = few["model"]
    by_day = {day: total(group.totals for group in groups) for day, groups in models.items()}
    groups, parts = _of_users(workspace, span, metric, of) if by == "user" else _of_few(few[by], span, metric)
    return Report(
        by=by,
        metric=metric,
        days=days,
        totals=total(by_day[day] for day in days if day in by_day),
        before=total(by_day[day] for day in days_of(earlier) if day in by_day),
        by_day=by_day,
        groups=groups,
        series={(day, group.label): group.totals for day, found in parts.items() for group in found},
        projection=_projection(by_day, month, now),
        unpriced=_unpriced(models[day] for day in days if day in models),
    )


def name_of(group: UsageGroup, by: By) -> str:
    return group.label if any(group.key.values()) else f"no {by}"


def days_of(span: Span) -> list[date]:
    first, last = span.days
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def value_of(totals: Totals, metric: Metric) -> float:
    if metric == "cost":
        return float(totals.cost_usd)
    return totals.model_calls if metric == "calls" else totals.input_tokens + totals.output_tokens


def _of_few(found: Days, span: Span, metric: Metric) -> tuple[Sequence[UsageGroup], Days]:
    """Of agents and models there are few enough to add up their days here, which spares the database a scan."""
    first, last = span.days
    parts = {day: groups for day, groups in found.items() if first <= day <= last}
    sums: dict[str, UsageGroup] = {}
    for group in (group for groups in parts.values() for group in groups):
        known = sums.get(group.label)
        sums[group.label] = UsageGroup(key=group.key, totals=known.totals + group.totals) if known else group
    largest = sorted(sums.values(), key=lambda group: (-value_of(group.totals, metric), group.label))
    return largest[: MOST_GROUPS + 1], parts


def _of_users(workspace: Workspace, span: Span, metric: Metric, of: UsageOf) -> tuple[Sequence[UsageGroup], Days]:
    """There may be any number of them."""
    groups = largest_groups(workspace, "user", span, metric=metric, limit=MOST_GROUPS + 1, of=of)
    return groups, groups_by_day(workspace, "user", span, of=of, among=groups[:MOST_SERIES])


def _unpriced(days: Iterable[Sequence[UsageGroup]]) -> Mapping[str, int]:
    calls: Counter[str] = Counter()
    for groups in days:
        calls.update({group.label: group.totals.unknown_price_calls for group in groups})
    return {model: number for model, number in calls.most_common() if number}


def _projection(by_day: Mapping[date, Totals], month: date, now: datetime) -> Projection:
    so_far = sum((each.cost_usd for day, each in by_day.items() if day >= month), start=Decimal(0))
    length = timedelta(days=calendar.monthrange(month.year, month.month)[1])
    gone = max(timedelta(hours=1), now - _midnight(month))
    return Projection(month=month, so_far=so_far, projected=so_far * Decimal(length / gone))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
