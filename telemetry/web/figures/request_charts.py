"""Requests over time, how many failed, and how long they took."""

from collections.abc import Mapping

from telemetry.query.activity import Activity, Figures
from telemetry.show import charts, figures, scales
from telemetry.show.charts import Chart, Column, Series
from telemetry.web.links import requests_link, stamp
from telemetry.web.visit import Visit

ByBucket = Mapping[int, Figures]
_OUTCOMES = (Series(name="failed", css="s-bad"), Series(name="others", css="s-accent"))
_LATENCIES = (Series(name="p50", css="s-accent"), Series(name="p95", css="s-amber"))


def requests_chart(visit: Visit, found: Activity, by_bucket: ByBucket, agent: str) -> Chart:
    """Each bar leads to the requests that it counts."""
    columns = []
    for bucket in found.buckets:
        part = by_bucket.get(bucket.number)
        span = {"from": stamp(bucket.since), "to": stamp(bucket.until)}
        columns.append(
            Column(
                label=bucket.label,
                values=(part.failed, part.requests - part.failed) if part else (0, 0),
                axis=bucket.axis,
                href=requests_link(visit, **span, agent=agent) if part else "",
                is_partial=bucket.is_partial,
            )
        )
    return charts.bars("Requests", _OUTCOMES, columns, scale=scales.counts, write=_whole)


def latency_chart(found: Activity, by_bucket: ByBucket) -> Chart:
    columns = []
    for bucket in found.buckets:
        part = by_bucket.get(bucket.number)
        values = (part.p50_ms, part.p95_ms) if part else (None, None)
        columns.append(Column(label=bucket.label, values=values, axis=bucket.axis, is_partial=bucket.is_partial))
    return charts.band("Latency", _LATENCIES, columns, scale=scales.milliseconds, write=figures.milliseconds)


def _whole(number: float) -> str:
    return f"{number:,.0f}"
