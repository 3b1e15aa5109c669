"""Pages of lists by key, never by offset: the next one begins where this one ends, whatever is written meanwhile."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet

from runtime.models import AgentRequest

Row = TypeVar("Row", bound=Model)
Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Page(Generic[Shown]):
    rows: Sequence[Shown]
    next: str
    """Cursor of the page after this one; empty on the last."""


def newest_page(rows: "QuerySet[Row]", cursor: str, *, size: int) -> Page[Row]:
    """By descending key. A cursor that no page gave begins at the newest."""
    if cursor.isdecimal() and len(cursor) < 19:
        rows = rows.filter(pk__lt=int(cursor))
    found = list(rows.order_by("-pk")[: size + 1])
    return Page(found[:size], str(found[size - 1].pk) if len(found) > size else "")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def latest_page(rows: "QuerySet[AgentRequest]", cursor: str, *, size: int) -> Page[AgentRequest]:
    """By descending time of acceptance, so that one index serves both a span of time and the order."""
    if found := re.fullmatch(r"(\d{1,17})-(\d{1,18})", cursor, re.ASCII):
        at, pk = _EPOCH + int(found[1]) * _MICROSECOND, int(found[2])
        rows = rows.filter(Q(accepted_at__lt=at) | Q(pk__lt=pk), accepted_at__lte=at)
    shown = list(rows.order_by("-accepted_at", "-pk")[: size + 1])
    last = shown[size - 1] if len(shown) > size else None
    return Page(shown[:size], f"{(last.accepted_at - _EPOCH) // _MICROSECOND}-{last.pk}" if last else "")
