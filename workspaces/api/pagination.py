"""Cursor pages: a list says where the next page starts, whatever is written meanwhile."""

import base64
import binascii
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request

from workspaces.api.envelope import InvalidBody

MAX_LIMIT = 200
Row = TypeVar("Row", bound=Model)


def newest_first(request: Request, rows: "QuerySet[Row]", *, default_limit: int = 50) -> tuple[list[Row], str | None]:
    """One page by descending id, and the cursor of the next page or None.

    Query parameters: `limit` (1..200) and `cursor` (from the page before).
    """
    limit = min(whole_number(request, "limit", default=default_limit, minimum=1), MAX_LIMIT)
    cursor = request.query_params.get("cursor")
    if cursor:
        rows = rows.filter(pk__lt=_decode(cursor))
    page = list(rows.order_by("-pk")[: limit + 1])
    if len(page) <= limit:
        return page, None
    return page[:limit], _encode(page[limit - 1].pk)


def whole_number(request: Request, name: str, *, default: int, minimum: int | None = None) -> int:
    text = request.query_params.get(name, "").strip()
    if not text:
        return default
    try:
        number = int(text)
    except ValueError:
        raise InvalidBody([_fault(name, "int_parsing", "Not a whole number.")]) from None
    if not -(2**53) < number < 2**53:
        raise InvalidBody([_fault(name, "int_parsing_size", "Too large a number.")])
    if minimum is not None and number < minimum:
        raise InvalidBody([_fault(name, "greater_than_equal", f"Must be at least {minimum}.")])
    return number


def _encode(pk: Any) -> str:
    return base64.urlsafe_b64encode(str(pk).encode()).decode().rstrip("=")


def _decode(cursor: str) -> int:
    try:
        number = int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not 0 < number < 2**63:
            raise ValueError("no row has this key")
        return number
    except (ValueError, binascii.Error):
        raise InvalidBody([_fault("cursor", "invalid", "Not a cursor that this list gave.")]) from None


def _fault(name: str, kind: str, message: str) -> dict[str, Any]:
    return {"type": kind, "loc": ["query", name], "msg": message}
