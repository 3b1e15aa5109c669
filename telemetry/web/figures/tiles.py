"""The figures at the head of a page, each with how it was in the span of the same length before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from runtime.kinds import Status
from telemetry.query.activity import Activity, Figures
from telemetry.show import figures
from telemetry.web.links import requests_link
from telemetry.web.visit import Visit

# Less than this is no change worth a colour.
_NOTABLE = 5
_MOST = 999
_MINUS = "\u2212"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    title: str
    value: str
    note: str
    href: str = ""
    delta: str = ""
    """Against the span before; empty when there was nothing then."""
    tone: str = ""
    """`good` or `bad`, where more is not simply more."""


def tiles(visit: Visit, found: Activity, parameters: Mapping[str, str]) -> Sequence[Tile]:
    """`parameters` lead to the requests that are counted."""
    now, before = found.now, found.before
    every = requests_link(visit, **parameters)
    return (
        Tile(
            title="Requests",
            value=figures.count(now.requests),
            note=f"{figures.count(now.tokens)} tokens",
            href=every,
            delta=change(now.requests, before.requests),
        ),
        _errors(now, before, requests_link(visit, **parameters, status=Status.FAILED)),
        Tile(
            title="Latency, p95",
            value=figures.milliseconds(now.p95_ms),
            note=f"p50 {figures.milliseconds(now.p50_ms)}, p99 {figures.milliseconds(now.p99_ms)}",
            href=every,
            delta=change(now.p95_ms, before.p95_ms),
            tone=_tone(now.p95_ms, before.p95_ms),
        ),
        Tile(
            title="Cost",
            value=figures.money(now.cost_usd),
            note=_per_request(now),
            href=every,
            delta=change(now.cost_usd, before.cost_usd),
        ),
    )


def _errors(now: Figures, before: Figures, href: str) -> Tile:
    delta = ""
    if now.error_rate is not None and before.error_rate is not None:
        points = now.error_rate - before.error_rate
        delta = f"{_signed(points, 1)} points"
    return Tile(
        title="Error rate",
        value=figures.percent(now.failed, now.requests),
        note=f"{figures.count(now.failed)} of {figures.count(now.requests)} failed",
        href=href,
        delta=delta,
        tone=_tone(now.error_rate, before.error_rate),
    )


def _per_request(now: Figures) -> str:
    if now.unpriced:
        return f"and {figures.count(now.unpriced)} unpriced"
    return f"{figures.money(now.cost_usd / now.requests)} per request" if now.requests else "no request"


def _percent_more(now: float | Decimal | None, before: float | Decimal | None) -> float | None:
    if now is None or not before:
        return None
    return 100 * (float(now) / float(before) - 1)


def change(now: float | Decimal | None, before: float | Decimal | None) -> str:
    more = _percent_more(now, before)
    if more is None:
        return ""
    return f"over +{_MOST}%" if more > _MOST else f"{_signed(more)}%"


def _signed(number: float, places: int = 0) -> str:
    text = f"{abs(number):.{places}f}"
    if not float(text):
        return "±0"
    return f"{'+' if number > 0 else _MINUS}{text}"


def _tone(now: float | None, before: float | None) -> str:
    """More is worse, of what this is asked for."""
    more = _percent_more(now, before)
    if more is None or abs(more) < _NOTABLE:
        return ""
    return "bad" if more > 0 else "good"
