"""The figures above the list, each a link to the rows that it counts."""

from collections.abc import Sequence
from dataclasses import dataclass

from telemetry.query.counts import Facets, Histogram
from telemetry.show import charts, scales
from telemetry.show.charts import Chart, Column, Series
from telemetry.web.links import stamp
from telemetry.web.requests.page import address, parameters_of
from telemetry.web.visit import Visit

_OUTCOMES = (Series(name="failed", css="s-bad"), Series(name="others", css="s-accent"))


@dataclass(frozen=True, slots=True)
class Facet:
    value: str
    count: int
    url: str
    is_current: bool


def histogram_chart(visit: Visit, found: Histogram) -> Chart:
    parameters = {name: text for name, text in parameters_of(visit).items() if name not in {"range", "facets"}}
    columns = []
    for bucket in found.buckets:
        count, failed = found.counts.get(bucket.number, (0, 0))
        span = {"from": stamp(bucket.since), "to": stamp(bucket.until)}
        columns.append(
            Column(
                label=bucket.label,
                values=(failed, count - failed),
                axis=bucket.axis,
                href=address(visit, parameters | span) if count else "",
                is_partial=bucket.is_partial,
            )
        )
    return charts.bars("Requests over time", _OUTCOMES, columns, scale=scales.counts, write=lambda n: f"{n:,.0f}")


def facet_groups(visit: Visit, found: Facets) -> Sequence[tuple[str, Sequence[Facet]]]:
    """Values to choose by; the one that is chosen takes itself away."""
    parameters = {name: text for name, text in parameters_of(visit).items() if name != "facets"}
    groups = []
    for name, values in found.values.items():
        chosen = parameters.get(name)
        links = [
            Facet(value, count, address(visit, parameters | {name: "" if value == chosen else value}), value == chosen)
            for value, count in values
        ]
        groups.append((name.title(), links))
    return groups
