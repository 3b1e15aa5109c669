"""Pages of lists by key, never by offset: the next one begins where this one ends, whatever is written meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Page(Generic[Shown]):
    rows: Sequence[Shown]
    next: str
    """Cursor of the page after this one; empty on the last."""
    newest: int = 0
    """Key of the first row."""


def newest_page(rows: "QuerySet[Row]", cursor: str, *, size: int) -> Page[Row]:
    """By descending key. A cursor that no page gave begins at the newest."""
    if cursor.isdecimal() and len(cursor) < 19:
        rows = rows.filter(pk__lt=int(cursor))
    found = list(rows.order_by("-pk")[: size + 1])
    following = str(found[size - 1].pk) if len(found) > size else ""
    return Page(found[:size], following, found[0].pk if found else 0)
