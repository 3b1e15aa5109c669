"""Usage and cost (web-ui 3.10)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse

from runtime.models import AgentRequest
from runtime.usage.reports import Metric, Span, UsageGroup, UsageOf, largest_groups
from runtime.usage.totals import Totals
from telemetry.query.ranges import TimeRange, read_range
from telemetry.query.requests import for_list
from telemetry.show.charts import share
from telemetry.web.links import requests_link, span_parameters
from telemetry.web.usage.charts import daily_chart, token_rows
from telemetry.web.usage.export import usage_file
from telemetry.web.usage.report import BYS, METRICS, MOST_GROUPS, By, Report, name_of, read_report, value_of
from telemetry.web.usage.tiles import usage_tiles
from telemetry.web.visit import Visit, screen
from workspaces.models import Workspace
from workspaces.roles import Scope

OF = ("agent", "model", "user")
_MOST = 5
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    name: str
    totals: Totals
    width: str
    href: str


@screen("usage", Scope.USAGE_READ)
def usage(visit: Visit) -> HttpResponse:
    parameters = visit.request.GET.dict()
    which, faults = read_range(_with_whole_last_day(parameters), default="30d")
    since, until = which.ends
    span = Span(since=since, until=until) if since < until else Span(since=until - timedelta(days=30), until=until)
    by, metric = _one_of(BYS, parameters.get("by"), faults), _one_of(METRICS, parameters.get("metric"), faults)
    of = UsageOf(**{name: parameters.get(name, "").replace("\x00", "\ufffd") for name in OF})
    if parameters.get("format") == "csv":
        return usage_file(visit.workspace, span, by, metric, of)
    if visit.target == "top":
        return visit.render("web/usage/_top.html", _top(visit.workspace, span, metric, of), partials={"top"})
    context: dict[str, Any] = {"which": which, "by": by, "metric": metric, "faults": faults, "of": of}
    context |= {"bys": BYS, "metrics": METRICS, "top_requests": None}
    context |= _shown(visit, read_report(visit.workspace, span, by, metric, of), which)
    if parameters.get("top"):
        context |= _top(visit.workspace, span, metric, of)
    return visit.render("web/usage/page.html", context, partials={"report"})


def _shown(visit: Visit, report: Report, which: TimeRange) -> Mapping[str, Any]:
    groups = report.groups[:MOST_GROUPS]
    highest = max((value_of(group.totals, report.metric) for group in groups), default=0)
    rows = [
        GroupRow(
            name=name_of(group, report.by),
            totals=group.totals,
            width=share(value_of(group.totals, report.metric), highest),
            href=_requests_of(visit, report.by, group, which),
        )
        for group in groups
    ]
    return {
        "report": report,
        "tiles": usage_tiles(report),
        "chart": daily_chart(report),
        "tokens": token_rows(report.totals),
        "rows": rows,
        "has_more": len(report.groups) > MOST_GROUPS,
    }


def _requests_of(visit: Visit, by: By, group: UsageGroup, which: TimeRange) -> str:
    if by == "agent" and group.key["agent_id"]:
        return visit.link("agent", group.key["agent_id"])
    if by == "user" and group.key["user"]:
        return requests_link(visit, **span_parameters(which), user=group.key["user"])
    if by == "model" and group.key["model"]:
        return requests_link(visit, **span_parameters(which), model=group.key["model"])
    return ""


def _top(workspace: Workspace, span: Span, metric: Metric, of: UsageOf) -> Mapping[str, Any]:
    """What has used most: by far the slowest to find, so it comes after the page."""
    return {
        "metric": metric,
        "top_sessions": largest_groups(workspace, "session", span, metric=metric, limit=_MOST, of=of),
        "top_requests": _dearest(workspace, span, of),
    }


def _dearest(workspace: Workspace, span: Span, of: UsageOf) -> Sequence[AgentRequest]:
    rows = workspace.agent_requests.filter(accepted_at__gte=span.since, accepted_at__lt=span.until, model_calls__gt=0)
    dearest = rows.filter(of.condition(is_daily=False)).order_by("-cost_usd", "-pk").values("pk")[:_MOST]
    found = for_list(workspace.agent_requests.filter(pk__in=dearest))
    return sorted(found, key=lambda row: -row.cost_usd)


def _one_of(known: Sequence[Any], asked: str | None, faults: list[str]) -> Any:
    if asked and asked not in known:
        faults.append(f"{asked} is unknown; choose {', '.join(known)}.")
    return asked if asked in known else known[0]


def _with_whole_last_day(parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Who writes a day as the end means all of it."""
    end = parameters.get("to", "")
    try:
        day = date.fromisoformat(end) + timedelta(days=1) if _DAY.fullmatch(end) else None
    except (ValueError, OverflowError):
        return parameters
    return {**parameters, "to": day.isoformat()} if day else parameters
