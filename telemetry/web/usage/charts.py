"""The drawings of the usage page: days with the largest groups on top of each other, and what the tokens were."""

from collections.abc import Callable, Sequence
from datetime import date

from django.utils import timezone

from runtime.usage.reports import Metric
from runtime.usage.totals import Totals, total
from telemetry.show import charts, figures, scales
from telemetry.show.charts import Chart, Column, Row, Series
from telemetry.web.usage.report import MOST_SERIES, Report, name_of, value_of

MOST_BARS = 100
_COLOURS = ("s-accent", "s-blue", "s-amber", "s-violet")
_TITLES: dict[Metric, str] = {"cost": "Cost by day", "tokens": "Tokens by day", "calls": "Model calls by day"}


def write_of(metric: Metric) -> Callable[[float], str]:
    return figures.money if metric == "cost" else lambda number: f"{number:,.0f}"


def daily_chart(report: Report) -> Chart:
    labels = [group.label for group in report.groups[:MOST_SERIES]]
    shown = [name_of(group, report.by) for group in report.groups[:MOST_SERIES]]
    names = [Series(name=name, css=css) for name, css in zip(shown, _COLOURS, strict=False)]
    has_others = len(report.groups) > MOST_SERIES
    # A year of days would be bars that nobody can tell apart.
    together = -(-len(report.days) // MOST_BARS)
    spans = [report.days[first : first + together] for first in range(0, len(report.days), together)]
    return charts.bars(
        _TITLES[report.metric] if together == 1 else f"{report.metric.title()}, {together} days a bar",
        [*names, *([Series(name="others", css="s-grey")] if has_others else [])],
        [_column(report, span, labels, has_others, number, len(spans)) for number, span in enumerate(spans)],
        scale=scales.dollars if report.metric == "cost" else scales.counts,
        write=write_of(report.metric),
    )


def _column(
    report: Report, days: Sequence[date], labels: Sequence[str], has_others: bool, number: int, columns: int
) -> Column:
    values = [
        value_of(total(report.series[day, label] for day in days if (day, label) in report.series), report.metric)
        for label in labels
    ]
    whole = value_of(total(report.by_day[day] for day in days if day in report.by_day), report.metric)
    # What is left over of a sum of fractions is no other group.
    others = [max(0.0, round(whole - sum(values), 9))] if has_others else []
    apart = -(-columns // 6)
    return Column(
        label=f"{days[0]:%d %b %Y}" if len(days) == 1 else f"{days[0]:%d %b} to {days[-1]:%d %b %Y}",
        values=(*values, *others),
        axis=f"{days[0]:%d %b}" if number % apart == apart // 2 else "",
        is_partial=days[-1] >= timezone.now().date(),
    )


def token_rows(totals: Totals) -> list[Row]:
    """Each token in one class only; the sum is all of them."""
    cached = totals.cache_read_tokens + totals.cache_write_tokens
    classes = (
        ("Input", totals.input_tokens - cached, "s-accent"),
        ("Input read from a cache", totals.cache_read_tokens, "s-accent"),
        ("Input written to a cache", totals.cache_write_tokens, "s-accent"),
        ("Output", totals.output_tokens - totals.reasoning_tokens, "s-blue"),
        ("Reasoning", totals.reasoning_tokens, "s-violet"),
    )
    highest = max(number for _, number, _ in classes)
    return [
        Row(name=name, text=f"{number:,}", width=charts.share(number, highest), css=css)
        for name, number, css in classes
        if number
    ]
