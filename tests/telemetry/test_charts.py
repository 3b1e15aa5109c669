"""Geometry of charts: everything stays in its box, what is missing is a gap, and words say the same as the drawing."""

import pytest

from telemetry.show import charts, scales
from telemetry.show.charts import Chart, Column, Series

SERIES = (Series(name="failed", css="s-bad"), Series(name="others", css="s-accent"))


def whole(number: float) -> str:
    return f"{number:.0f}"


def drawn(*values: tuple[float | None, ...]) -> Chart:
    columns = [Column(label=f"hour {number}", values=each) for number, each in enumerate(values)]
    return charts.bars("Requests", SERIES, columns, scale=scales.counts, write=whole)


def test_bars_stand_on_each_other_within_the_box() -> None:
    chart = drawn((1, 3), (0, 0), (0, 7))
    first, empty, last = chart.places
    assert [(part.css, part.y, part.height) for part in first.parts] == [
        ("s-bad", "87.50", "12.50"),
        ("s-accent", "50.00", "37.50"),
    ]
    assert not empty.parts
    assert last.parts[0].y == "12.50"
    assert first.title == "hour 0: failed 1, others 3"
    assert [place.cells for place in chart.places] == [["1", "3"], ["0", "0"], ["0", "7"]]


def test_what_is_small_beside_the_rest_can_be_seen() -> None:
    few, _ = drawn((1, 0), (0, 100_000)).places
    assert float(few.parts[0].height) > 1


def test_a_chart_of_nothing_can_be_drawn() -> None:
    assert drawn().places == []
    assert charts.sparkline([0, 0]) == ""


def test_what_is_missing_is_a_gap() -> None:
    columns = [
        Column(label=str(number), values=each) for number, each in enumerate([(1, 2), (2, 4), (None, None), (1, 3)])
    ]
    chart = charts.band("Latency", SERIES, columns, scale=scales.milliseconds, write=whole)
    assert len(chart.areas) == 2
    assert [css for css, _ in chart.lines] == ["s-bad", "s-accent"] * 2
    # One that stands alone is as wide as its place, not a point.
    assert chart.lines[-1][1] == "80.00,25.00 95.00,25.00"
    assert chart.places[2].title == "2: none"


@pytest.mark.parametrize(
    ("scale", "highest", "labels"),
    [
        (scales.counts, 3, ["0", "1", "2", "3"]),
        (scales.counts, 140, ["0", "50", "100", "150"]),
        (scales.counts, 12_000, ["0", "5k", "10k", "15k"]),
        (scales.counts, 0, ["0", "1"]),
        (scales.dollars, 0.07, ["$0", "$0.02", "$0.04", "$0.06", "$0.08"]),
        (scales.milliseconds, 850, ["0", "500 ms", "1 s"]),
        (scales.milliseconds, 80_000, ["0", "30 s", "1 min", "1.5 min"]),
    ],
)
def test_an_axis_counts_in_steps_that_people_count_in(scale: object, highest: float, labels: list[str]) -> None:
    assert [tick.label for tick in scale(highest).ticks] == labels
