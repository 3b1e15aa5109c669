"""Durations, counts and money, as people read them: short, in one width, never more precise than they are."""

from datetime import datetime, timedelta
from decimal import Decimal
from math import log10

NOTHING = "\u2013"
"""An en dash: there is no such figure."""


def duration(seconds: float | timedelta | None) -> str:
    """`820 ms`, `1.24 s`, `2m 05s`, `3h 07m`, `2d 4h`."""
    if seconds is None:
        return NOTHING
    span = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
    if span < 0.9995:
        return f"{max(0, round(span * 1000))} ms"
    if span < 59.95:
        return f"{span:.2f} s" if span < 9.995 else f"{span:.1f} s"
    minutes, rest = divmod(round(span), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m" if hours < 24 else f"{hours // 24}d {hours % 24}h"


def milliseconds(number: float | None) -> str:
    return duration(None if number is None else number / 1000)


def count(number: int | None) -> str:
    """`9,412`, `12.4k`, `3.1M`: exact up to four digits."""
    if number is None:
        return NOTHING
    if abs(number) < 10_000:
        return f"{number:,}"
    for size, sign in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if abs(number) >= size:
            part = number / size
            return f"{part:.1f}{sign}" if abs(part) < 100 else f"{part:.0f}{sign}"
    return f"{number:,}"


def money(dollars: Decimal | float | None) -> str:
    """US dollars: two digits from one dollar on, and below it as many as show two that count."""
    if dollars is None:
        return NOTHING
    amount = Decimal(dollars)
    if amount == 0:
        return "$0"
    if abs(amount) >= 1:
        return f"${amount:,.2f}"
    places = min(6, max(2, 1 - amount.adjusted()))
    return f"${amount:.{places}f}"


def exact_money(dollars: Decimal | None) -> str:
    """US dollars with all their digits, for a price that somebody has set."""
    return NOTHING if dollars is None else f"${dollars.normalize():f}"


def percent(part: float, whole: float) -> str:
    """Of the whole; nothing where there is no whole."""
    return f"{100 * part / whole:.1f}%" if whole else NOTHING


def size(bytes_: int | None) -> str:
    if bytes_ is None:
        return NOTHING
    for unit in ("B", "kB"):
        if bytes_ < 1000:
            return f"{bytes_:.0f} {unit}" if unit == "B" else f"{bytes_:.1f} {unit}"
        bytes_ = bytes_ / 1000  # type: ignore[assignment]  # a fraction from here on
    return f"{bytes_:.1f} MB"


def clock(moment: datetime, now: datetime) -> str:
    """The time of day on the day itself, else the date before it; both in the zone that they have."""
    if moment.date() == now.date():
        return f"{moment:%H:%M:%S}"
    if moment.year == now.year:
        return f"{moment:%d %b %H:%M}"
    return f"{moment:%Y-%m-%d %H:%M}"


def duration_share(seconds: float) -> str:
    """Length of a duration's bar in percent: from 10 ms to 1,000 s, each ten times longer is a fifth."""
    return f"{min(100.0, max(2.0, 20 * log10(max(seconds, 0.01) * 100))):.0f}"
