"""Usage and cost of a workspace over a span of time, grouped as the reader likes (extensions 7)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args

from django.db.models import Case, F, IntegerField, Q, QuerySet, Sum, When
from django.db.models.expressions import OrderBy

from runtime.usage.totals import COUNTED, Totals
from workspaces.models import Workspace

GroupBy = Literal["day", "agent", "user", "model", "session"]
Metric = Literal["cost", "tokens", "calls"]
GROUPS: tuple[GroupBy, ...] = get_args(GroupBy)
DEFAULT_SPAN = timedelta(days=30)
MAX_ROWS = 1000

# Columns that make a group, and what they are called outside
_COLUMNS: dict[GroupBy, Mapping[str, str]] = {
    "day": {"day": "day"},
    "agent": {"agent_name": "agent_id"},
    "user": {"user": "user"},
    "model": {"provider": "provider", "model": "model"},
    "session": {"agent__agent_id": "agent_id", "session_id": "session_id"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `since` up to, and not including, `until`. Days count whole, in UTC."""

    since: datetime
    until: datetime

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day."""
        return self.since.astimezone(UTC).date(), (self.until.astimezone(UTC) - timedelta(microseconds=1)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageOf:
    """Whose use is counted; empty: everyone's."""

    agent: str = ""
    model: str = ""
    user: str = ""

    def condition(self, *, is_daily: bool) -> Q:
        asked = {"agent_name" if is_daily else "agent__agent_id": self.agent, "model": self.model, "user": self.user}
        return Q(**{column: value for column, value in asked.items() if value})


EVERYONE = UsageOf()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageGroup:
    key: Mapping[str, str]
    totals: Totals

    @property
    def label(self) -> str:
        """For people."""
        return " / ".join(filter(None, self.key.values())) or "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    groups: Sequence[UsageGroup]
    totals: Totals
    """Of the whole span, whatever page this is."""
    next_after: list[str] | None
    """The last key of this page, when there is another one."""


def usage_report(
    workspace: Workspace,
    group_by: GroupBy,
    span: Span,
    *,
    of: UsageOf = EVERYONE,
    limit: int = 100,
    after: Sequence[str] | None = None,
) -> UsageReport:
    """One page of groups in the order of their keys. Sessions count by the time when their requests were accepted."""
    columns = list(_COLUMNS[group_by])
    calls = _calls(workspace, group_by, span, of)
    grouped = (
        (calls.filter(_beyond(columns, after)) if after else calls)
        .values(*columns)
        .annotate(**_SUMS[_is_daily(group_by)])
    )
    found = list(grouped.order_by(*columns)[: limit + 1])
    groups = [UsageGroup(key=_key(group_by, row), totals=_totals(row)) for row in found[:limit]]
    return UsageReport(
        groups=groups,
        totals=_totals(calls.aggregate(**_SUMS[_is_daily(group_by)])),
        next_after=list(groups[-1].key.values()) if len(found) > limit else None,
    )


def largest_groups(
    workspace: Workspace, group_by: GroupBy, span: Span, *, metric: Metric, limit: int, of: UsageOf = EVERYONE
) -> Sequence[UsageGroup]:
    """Those with most of it first."""
    columns, calls = list(_COLUMNS[group_by]), _calls(workspace, group_by, span, of)
    if group_by == "session":
        calls = calls.filter(session_id__in=_largest_sessions(calls, metric, limit))
    grouped = calls.values(*columns).annotate(**_SUMS[_is_daily(group_by)])
    return [
        UsageGroup(key=_key(group_by, row), totals=_totals(row))
        for row in grouped.order_by(OrderBy(_METRICS[metric], descending=True), *columns)[:limit]
    ]


def _largest_sessions(calls: QuerySet[Any], metric: Metric, limit: int) -> QuerySet[Any]:
    """Their ids, of which other agents may have some too: found with one sum, for of sessions there are very many."""
    ranked: QuerySet[Any] = calls.values("agent_id", "session_id").annotate(amount=_AMOUNTS[metric])
    return ranked.order_by("-amount", "agent_id", "session_id").values("session_id")[:limit]


def groups_by_day(
    workspace: Workspace,
    group_by: GroupBy,
    span: Span,
    *,
    of: UsageOf = EVERYONE,
    among: Sequence[UsageGroup] | None = None,
) -> Mapping[date, Sequence[UsageGroup]]:
    """The groups of each day that has some; if that is given, only those with the keys of `among`."""
    if among is not None and not among:
        return {}
    columns, wanted = _COLUMNS[group_by], Q()
    for group in among or ():
        wanted |= Q(**{column: group.key[shown] for column, shown in columns.items()})
    found: defaultdict[date, list[UsageGroup]] = defaultdict(list)
    calls = _calls(workspace, group_by, span, of).filter(wanted)
    for row in calls.values("day", *columns).annotate(**_SUMS[True]):
        found[row["day"]].append(UsageGroup(key=_key(group_by, row), totals=_totals(row)))
    return found


def several_by_day(
    workspace: Workspace, group_bys: Sequence[GroupBy], span: Span, *, of: UsageOf = EVERYONE
) -> Mapping[GroupBy, Mapping[date, Sequence[UsageGroup]]]:
    """As `groups_by_day`, of groupings with few groups each, in one statement for all of them."""
    columns = dict.fromkeys(column for group_by in group_bys for column in _COLUMNS[group_by])
    sums: defaultdict[tuple[GroupBy, date, tuple[str, ...]], Totals] = defaultdict(Totals)
    keys: dict[tuple[GroupBy, tuple[str, ...]], dict[str, str]] = {}
    for row in _calls(workspace, "day", span, of).values("day", *columns).annotate(**_SUMS[True]):
        totals = _totals(row)
        for group_by in group_bys:
            key = _key(group_by, row)
            values = tuple(key.values())
            keys[group_by, values] = key
            sums[group_by, row["day"], values] += totals
    found: dict[GroupBy, defaultdict[date, list[UsageGroup]]] = {name: defaultdict(list) for name in group_bys}
    for (group_by, day, values), totals in sums.items():
        found[group_by][day].append(UsageGroup(key=keys[group_by, values], totals=totals))
    return found


def key_length(group_by: GroupBy) -> int:
    """How many values a group's key has."""
    return len(_COLUMNS[group_by])


def _calls(workspace: Workspace, group_by: GroupBy, span: Span, of: UsageOf) -> QuerySet[Any]:
    meant = of.condition(is_daily=_is_daily(group_by))
    if _is_daily(group_by):
        return workspace.daily_usage.filter(meant, day__range=span.days)
    requests = workspace.agent_requests.filter(meant, accepted_at__gte=span.since, accepted_at__lt=span.until)
    return requests.filter(model_calls__gt=0)


def _is_daily(group_by: GroupBy) -> bool:
    return group_by != "session"


def _beyond(columns: Sequence[str], after: Sequence[str]) -> Q:
    """Keys that come after this one, column by column."""
    first, *rest = columns
    beyond = Q(**{f"{first}__gt": after[0]})
    return beyond | Q(**{first: after[0]}) & _beyond(rest, after[1:]) if rest else beyond


_PLAIN = {f"sum_{name}": Sum(name) for name in COUNTED if name != "unknown_price_calls"}
_UNKNOWN_REQUESTS = Sum(Case(When(has_unknown_price=True, then=1), default=0, output_field=IntegerField()))
_SUMS: dict[bool, dict[str, Sum]] = {
    True: {**_PLAIN, "sum_unknown_price_calls": Sum("unknown_price_calls")},
    False: {**_PLAIN, "sum_unknown_price_calls": _UNKNOWN_REQUESTS},
}
_AMOUNTS: dict[Metric, Any] = {
    "cost": Sum("cost_usd"),
    "tokens": Sum("input_tokens") + Sum("output_tokens"),
    "calls": Sum("model_calls"),
}
_METRICS: dict[Metric, Any] = {
    "cost": F("sum_cost_usd"),
    "tokens": F("sum_input_tokens") + F("sum_output_tokens"),
    "calls": F("sum_model_calls"),
}


def _totals(row: Mapping[str, Any]) -> Totals:
    sums: dict[str, Any] = {name: row[f"sum_{name}"] or 0 for name in COUNTED}
    return Totals(**{**sums, "cost_usd": Decimal(sums["cost_usd"])})


def _key(group_by: GroupBy, row: Mapping[str, Any]) -> dict[str, str]:
    return {shown: str(row[column]) for column, shown in _COLUMNS[group_by].items()}
