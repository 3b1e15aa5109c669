"""What the overview says of a span of time: figures against those before, charts, and the requests that stand out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from runtime.kinds import Status
from runtime.models import AgentRequest
from telemetry.query.activity import Activity, Figures, activity
from telemetry.query.failures import Failures, failures
from telemetry.query.requests import RequestFilter
from telemetry.query.slowest import slowest
from telemetry.show import charts, figures
from telemetry.web.figures.agent_rows import AgentRow, agent_rows
from telemetry.web.figures.request_charts import latency_chart, requests_chart
from telemetry.web.figures.tiles import Tile, tiles
from telemetry.web.links import requests_link, span_parameters
from telemetry.web.visit import Visit

_MOST = 5
_MOST_MODELS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    at: datetime
    """When they were counted."""
    now: Figures
    tiles: Sequence[Tile]
    requests: charts.Chart
    latency: charts.Chart
    models: Sequence[charts.Row]
    agents: Sequence[AgentRow]
    failures: Failures
    failed_link: str
    slowest: Sequence[AgentRequest]


def cards(visit: Visit, which: RequestFilter, agent: str) -> Cards:
    found = activity(visit.workspace, which)
    by_bucket = found.by("bucket")
    parameters = {**span_parameters(which.span), "agent": agent}
    return Cards(
        at=timezone.now(),
        now=found.now,
        tiles=tiles(visit, found, parameters),
        requests=requests_chart(visit, found, by_bucket, agent),
        latency=latency_chart(found, by_bucket),
        models=_models(visit, found, parameters),
        agents=agent_rows(visit, found),
        failures=failures(visit.workspace, which, most=_MOST),
        failed_link=requests_link(visit, **parameters, status=Status.FAILED),
        slowest=slowest(which.apply(visit.workspace).filter(found.of_longest(_MOST)), most=_MOST),
    )


def _models(visit: Visit, found: Activity, parameters: Mapping[str, str]) -> list[charts.Row]:
    by_model: Mapping[str, Figures] = found.by("model")
    dearest = sorted(by_model.items(), key=lambda item: (-item[1].cost_usd, -item[1].requests))
    highest = max((each.cost_usd for each in by_model.values()), default=0)
    return [
        charts.Row(
            name=model or "no model answered",
            text=figures.money(each.cost_usd) + ("+?" if each.unpriced else ""),
            width=charts.share(float(each.cost_usd), float(highest)),
            href=requests_link(visit, **parameters, model=model) if model else "",
            note=f"{figures.count(each.requests)} requests",
        )
        for model, each in dearest[:_MOST_MODELS]
    ]
