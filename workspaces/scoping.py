"""The closed door: a tenant-owned row is reached from its workspace, or not at all (style.md 5)."""

from typing import Any, TypeVar

from django.db import models
from typing_extensions import override


class UnscopedQuery(Exception):
    """A query on a tenant-owned model started from nowhere; start from a workspace instead."""


class ClosedManager(models.Manager[Any]):
    """Refuses to start a query that no workspace bounds."""

    @override
    def get_queryset(self) -> models.QuerySet[Any]:
        raise UnscopedQuery(f"{self.model.__name__}: start from a workspace")


Row = TypeVar("Row", bound=models.Model)


def only(rows: "models.QuerySet[Row]") -> Row | None:
    """The row of a query that can find one at most. Unlike `first()` it does not sort, which costs Django as much again."""
    found = list(rows.order_by()[:1])
    return found[0] if found else None
