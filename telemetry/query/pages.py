"""Pages of lists by key, never by offset: the next one begins where this one ends, whatever is written meanwhile."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)
Shown = TypeVar("Shown")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT_AND_KEY = re.compile(r"(\d{1,17})-(\d{1,18})")


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


def latest_page(rows: "QuerySet[Row]", cursor: str, *, by: str, size: int) -> Page[Row]:
    """By a descending time, and by key where that is the same. A cursor that no page gave begins at the latest."""
    if place := _MOMENT_AND_KEY.fullmatch(cursor):
        at = _EPOCH + timedelta(microseconds=int(place[1]))
        rows = rows.filter(Q(**{f"{by}__lt": at}) | Q(**{by: at}, pk__lt=int(place[2])), **{f"{by}__lte": at})
    found = list(rows.order_by(f"-{by}", "-pk")[: size + 1])
    return Page(found[:size], _cursor(found[size - 1], by) if len(found) > size else "")


def _cursor(row: Model, by: str) -> str:
    return f"{(getattr(row, by) - _EPOCH) // timedelta(microseconds=1)}-{row.pk}"
