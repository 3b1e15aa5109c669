"""The sums of the usage page, against as many days before."""

from collections.abc import Sequence

from telemetry.show import figures
from telemetry.web.figures.tiles import Tile, change
from telemetry.web.usage.report import Report


def usage_tiles(report: Report) -> Sequence[Tile]:
    now, before, month = report.totals, report.before, report.projection
    tokens, earlier_tokens = now.input_tokens + now.output_tokens, before.input_tokens + before.output_tokens
    unpriced = f"and {figures.count(now.unknown_price_calls)} calls unpriced" if now.unknown_price_calls else ""
    return (
        Tile(
            title="Cost",
            value=figures.money(now.cost_usd),
            note=unpriced or f"{figures.money(now.cost_usd / len(report.days))} a day",
            delta=change(now.cost_usd, before.cost_usd),
        ),
        Tile(
            title="Tokens",
            value=figures.count(tokens),
            note=f"{figures.count(now.input_tokens)} in, {figures.count(now.output_tokens)} out",
            delta=change(tokens, earlier_tokens),
        ),
        Tile(
            title="Model calls",
            value=figures.count(now.model_calls),
            note=f"{figures.count(round(now.model_calls / len(report.days)))} a day",
            delta=change(now.model_calls, before.model_calls),
        ),
        Tile(
            title="Cache hits",
            value=figures.percent(now.cache_read_tokens, now.input_tokens),
            note="of input tokens read from a cache",
        ),
        Tile(
            title=f"{month.month:%B} to date",
            value=figures.money(month.so_far),
            note=f"{figures.money(month.projected)} by its end at this pace",
        ),
    )
