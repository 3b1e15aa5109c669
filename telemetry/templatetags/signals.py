"""How the page of signals writes values and places its bars."""

import json
from dataclasses import dataclass
from typing import Any

from django import template

from telemetry.show import distribution

register = template.Library()
_GAP = 0.15
_LEAST = 2.0
"""Percent of the height that a bar has which is not nothing."""

register.filter("plain_number", distribution.number)


@dataclass(frozen=True, slots=True)
class Box:
    """In percent of the drawing, as its geometry attributes take it."""

    x: str
    y: str
    width: str
    height: str


@register.simple_tag
def bar_box(place: int, places: int, value: float, most: float) -> Box:
    """The bar of a value at its place among equally wide ones."""
    step = 100 / places
    height = max(_LEAST, 100 * abs(value) / most) if value and most else 0.0
    return Box(
        x=f"{step * (place + _GAP / 2):.3f}",
        y=f"{100 - height:.2f}",
        width=f"{step * (1 - _GAP):.3f}",
        height=f"{height:.2f}",
    )


@register.filter
def signal_value(value: Any) -> str:
    """On one line and no longer than a cell."""
    if distribution.kind_of_one(value) == "number":
        return distribution.number(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"
