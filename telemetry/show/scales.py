"""The axis of a chart: steps that people count in, and what stands beside them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOST_STEPS = 4
_MS_STEPS = (
    *(base * size for size in (1, 10, 100, 1000) for base in (1, 2, 5)),
    *(seconds * 1000 for seconds in (10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    at: str
    """How far down, in percent."""
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From nothing at the bottom to `top`."""

    top: float
    ticks: Sequence[Tick]

    def share(self, value: float) -> float:
        """How high a value stands, in percent."""
        return 100 * value / self.top


def counts(highest: float) -> Scale:
    return _scale(highest, max(1.0, _round_step(highest)), _short)


def dollars(highest: float) -> Scale:
    return _scale(highest, _round_step(highest), lambda value: f"${_short(value)}")


def milliseconds(highest: float) -> Scale:
    step = next((step for step in _MS_STEPS if highest / step <= MOST_STEPS), _MS_STEPS[-1])
    return _scale(highest, step, _short_ms)


def percent(part: float) -> str:
    """A length for a drawing."""
    return f"{part:.2f}"


def _scale(highest: float, step: float, write: Callable[[float], str]) -> Scale:
    steps = max(1, math.ceil(highest / step - 1e-9))
    top = steps * step
    # A week is the longest step that there is, so there may be many.
    shown = range(0, steps + 1, math.ceil(steps / MOST_STEPS))
    ticks = [Tick(at=percent(100 - 100 * number * step / top), label=write(number * step)) for number in shown]
    return Scale(top=top, ticks=ticks)


def _round_step(highest: float) -> float:
    if highest <= 0:
        return 1
    size = 10.0 ** math.floor(math.log10(highest / MOST_STEPS))
    return next(base * size for base in (1, 2, 5, 10) if highest / (base * size) <= MOST_STEPS)


def _short(value: float) -> str:
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{sign}"
    return f"{value:.10f}".rstrip("0").rstrip(".")


def _short_ms(value: float) -> str:
    for size, sign in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")):
        if value >= size:
            return f"{value / size:g} {sign}"
    return f"{value:g} ms" if value else "0"
