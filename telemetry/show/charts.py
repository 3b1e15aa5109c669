"""Charts as the server draws them: geometry in percent of the drawing, words for whoever points at it or cannot see it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from telemetry.show.scales import Scale, Tick, percent

# Of the place that a column has; and what is there stays visible beside what is much larger.
_BAR = 0.78
_LEAST_HEIGHT = 1.2
Write = Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    name: str
    css: str
    """Its colour, the same wherever it appears on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What is to be drawn at one place of the axis: a number for each series, or None where nothing is known."""

    label: str
    values: Sequence[float | None]
    axis: str = ""
    href: str = ""
    is_partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    y: str
    height: str
    css: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A column in the drawing; the whole height of it answers to the pointer."""

    x: str
    width: str
    title: str
    label: str
    cells: Sequence[str]
    href: str = ""
    is_partial: bool = False
    bar_x: str = ""
    bar_width: str = ""
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisLabel:
    x: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    caption: str
    series: Sequence[Series]
    ticks: Sequence[Tick]
    axis: Sequence[AxisLabel]
    places: Sequence[Place]
    is_linked: bool = False
    areas: Sequence[str] = ()
    lines: Sequence[tuple[str, str]] = ()
    """Colour and points of each unbroken stretch."""


def bars(
    caption: str,
    series: Sequence[Series],
    columns: Sequence[Column],
    *,
    scale: Callable[[float], Scale],
    write: Write,
) -> Chart:
    """One bar for each column, its values on top of each other from the first series up."""
    axis = scale(max((sum(value or 0 for value in column.values) for column in columns), default=0))
    slot = 100 / max(1, len(columns))
    places = [
        _place(
            column,
            series,
            write,
            at=index * slot,
            width=slot,
            parts=tuple(_stacked(column.values, series, axis)),
        )
        for index, column in enumerate(columns)
    ]
    return Chart(
        caption=caption,
        series=series,
        ticks=axis.ticks,
        axis=_axis(columns),
        places=places,
        is_linked=any(column.href for column in columns),
    )


def band(
    caption: str,
    series: Sequence[Series],
    columns: Sequence[Column],
    *,
    scale: Callable[[float], Scale],
    write: Write,
) -> Chart:
    """A line for each series, and an area between the first and the last of them. What is missing is a gap."""
    axis = scale(max((value for column in columns for value in column.values if value is not None), default=0))
    slot = 100 / max(1, len(columns))
    areas: list[str] = []
    lines: list[tuple[str, str]] = []
    for stretch in _stretches(columns):
        drawn = [_points(stretch, columns, number, axis) for number in range(len(series))]
        lines += [(each.css, " ".join(points)) for each, points in zip(series, drawn, strict=True)]
        areas.append(" ".join([*drawn[0], *reversed(drawn[-1])]))
    places = [_place(column, series, write, at=index * slot, width=slot) for index, column in enumerate(columns)]
    return Chart(
        caption=caption,
        series=series,
        ticks=axis.ticks,
        axis=_axis(columns),
        places=places,
        areas=areas,
        lines=lines,
    )


def sparkline(values: Sequence[float]) -> str:
    """Points of a line in a box of 100 by 100; empty where there is nothing to see."""
    highest = max(values, default=0)
    if len(values) < 2 or not highest:
        return ""
    apart = 100 / (len(values) - 1)
    return " ".join(
        f"{percent(index * apart)},{percent(98 - 96 * value / highest)}" for index, value in enumerate(values)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A horizontal bar with its name before and its figure after it."""

    name: str
    text: str
    width: str
    css: str = ""
    href: str = ""
    note: str = ""


def share(value: float, highest: float) -> str:
    """Length of a horizontal bar."""
    return percent(max(_LEAST_HEIGHT, 100 * value / highest)) if value and highest else "0"


def _place(
    column: Column,
    series: Sequence[Series],
    write: Write,
    *,
    at: float,
    width: float,
    parts: Sequence[Part] = (),
) -> Place:
    cells = ["none" if value is None else write(value) for value in column.values]
    known = any(value is not None for value in column.values)
    told = ", ".join(f"{each.name} {cell}" for each, cell in zip(series, cells, strict=True)) if known else "none"
    return Place(
        x=percent(at),
        width=percent(width),
        bar_x=percent(at + width * (1 - _BAR) / 2),
        bar_width=percent(width * _BAR),
        title=f"{column.label}: {told}",
        label=column.label,
        cells=cells,
        href=column.href,
        is_partial=column.is_partial,
        parts=parts,
    )


def _stacked(values: Sequence[float | None], series: Sequence[Series], axis: Scale) -> Iterable[Part]:
    below = 0.0
    for value, each in zip(values, series, strict=True):
        if value:
            height = max(_LEAST_HEIGHT, axis.share(value))
            below += height
            yield Part(y=percent(max(0.0, 100 - below)), height=percent(height), css=each.css)


def _stretches(columns: Sequence[Column]) -> Iterable[list[int]]:
    """Numbers of neighbours that all have their values."""
    known = [None not in column.values for column in columns]
    for is_known, numbers in groupby(range(len(columns)), key=known.__getitem__):
        if is_known:
            yield list(numbers)


def _points(stretch: Sequence[int], columns: Sequence[Column], series: int, axis: Scale) -> list[str]:
    slot = 100 / len(columns)
    heights = [(number, percent(100 - axis.share(columns[number].values[series] or 0))) for number in stretch]
    if len(stretch) == 1:
        # Alone it would be a point, which nobody sees.
        [(number, y)] = heights
        return [f"{percent((number + edge) * slot)},{y}" for edge in (0.2, 0.8)]
    return [f"{percent((number + 0.5) * slot)},{y}" for number, y in heights]


def _axis(columns: Sequence[Column]) -> list[AxisLabel]:
    slot = 100 / max(1, len(columns))
    return [
        AxisLabel(x=percent(index * slot + slot / 2), text=column.axis)
        for index, column in enumerate(columns)
        # What begins at the very edge would be cut.
        if column.axis and 3 <= index * slot + slot / 2 <= 96
    ]
