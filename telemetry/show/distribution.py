"""How values are spread, as bars that a page can draw: numbers in bins, everything else by what there is of it."""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from telemetry.show import figures

Kind = Literal["number", "boolean", "text", "list", "other"]
BINS = 24
MOST_CATEGORIES = 10
SERIES = 8
BUCKETS = 30
_LABEL = 60
# Python's whole numbers have no limit; what could not be averaged is not drawn.
_LARGEST = 1e300


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    count: int
    value: str = ""
    """What a filter is to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    kind: Kind
    bars: Sequence[Bar] = ()
    most: int = 0
    """Count of the highest bar."""
    categories: int = 0
    """All of them, of which the bars are the most frequent."""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The mean of one name over time; None where there is nothing, which is a gap and no zero."""

    name: str
    count: int
    mean: float
    points: Sequence[float | None]


def kind_of(values: Iterable[Any]) -> Kind:
    """Of most of them."""
    counts = Counter(kind_of_one(value) for value in values)
    return counts.most_common(1)[0][0] if counts else "other"


def distribution(values: Sequence[Any]) -> Distribution:
    kind = kind_of(values)
    alike = [value for value in values if kind_of_one(value) == kind]
    if kind == "number":
        return _numbers(alike)
    if kind == "other":
        return Distribution(kind=kind)
    parts = [part for value in alike for part in (value if kind == "list" else [value])]
    counts = Counter(_word(part) for part in parts)
    best = counts.most_common(MOST_CATEGORIES)
    return Distribution(
        kind=kind,
        bars=[Bar(word[:_LABEL], count, word) for word, count in best],
        most=best[0][1] if best else 0,
        categories=len(counts),
        facts={"items per turn": number(statistics.fmean(map(len, alike)))} if kind == "list" else {},
    )


def measure(value: Any) -> float | None:
    """What is averaged: a number itself, the share of true ones, the length of a list."""
    kind = kind_of_one(value)
    if kind in ("number", "boolean"):
        return float(value)
    return float(len(value)) if kind == "list" else None


def over_time(
    measured: Iterable[tuple[str, datetime, float]], since: datetime, until: datetime
) -> tuple[list[Series], int]:
    """A series for each of the most frequent names, and how many names there are."""
    width = max((until - since).total_seconds() / BUCKETS, 1e-6)
    by_name: dict[str, list[list[float]]] = {}
    for name, at, value in measured:
        place = min(BUCKETS - 1, max(0, int((at - since).total_seconds() / width)))
        by_name.setdefault(name, [[] for _ in range(BUCKETS)])[place].append(value)
    series = [_series(name, buckets) for name, buckets in by_name.items()]
    return sorted(series, key=lambda each: (-each.count, each.name))[:SERIES], len(series)


def number(value: float) -> str:
    """Whole ones whole, others with four digits that count."""
    if float(value).is_integer() and abs(value) < 1e12:
        return figures.count(int(value))
    return f"{value:.4g}"


def kind_of_one(value: Any) -> Kind:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number" if -_LARGEST < value < _LARGEST else "other"
    return "text" if isinstance(value, str) else "list" if isinstance(value, list) else "other"


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _numbers(values: Sequence[float]) -> Distribution:
    bars = _bins(values)
    ordered = sorted(values)
    facts = {"lowest": ordered[0], "median": statistics.median(ordered), "mean": statistics.fmean(ordered)}
    facts |= {"95 %": ordered[math.ceil(len(ordered) * 0.95) - 1], "highest": ordered[-1]}
    return Distribution(
        kind="number",
        bars=bars,
        most=max(bar.count for bar in bars),
        categories=len(bars),
        facts={name: number(value) for name, value in facts.items()},
    )


def _bins(values: Sequence[float]) -> list[Bar]:
    """One for each value where there are few, else of equal width."""
    different = Counter(values)
    if len(different) <= BINS // 2:
        return [Bar(number(value), count) for value, count in sorted(different.items())]
    low, high = min(values), max(values)
    width = (high - low) / BINS
    counts = Counter(min(BINS - 1, int((value - low) / width)) for value in values)
    edges = [number(low + width * place) for place in range(BINS + 1)]
    return [Bar(f"{edges[place]} to {edges[place + 1]}", counts[place]) for place in range(BINS)]


def _series(name: str, buckets: Sequence[Sequence[float]]) -> Series:
    everything = [value for bucket in buckets for value in bucket]
    points = [statistics.fmean(bucket) if bucket else None for bucket in buckets]
    return Series(name=name, count=len(everything), mean=statistics.fmean(everything), points=points)
