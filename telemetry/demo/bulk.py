"""Inserts many rows at once, past the ORM, which takes longer over a row than everything that made it."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper

Convert = Callable[[Any], Any]


def insert(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    """Rows that have their keys already, and those of what they refer to. Nothing is checked but by the database."""
    if not rows:
        return
    connection, fields = connections[router.db_for_write(model)], model._meta.concrete_fields
    read = attrgetter(*(field.attname for field in fields))
    converters = [(place, _converter(field, connection)) for place, field in enumerate(fields)]
    needed = [(place, convert) for place, convert in converters if convert]
    values = (_converted(read(row), needed) for row in rows)
    columns = ", ".join(f'"{field.column}"' for field in fields)
    write = _copy if connection.vendor == "postgresql" else _execute_many
    write(connection, f'"{model._meta.db_table}" ({columns})', len(fields), values)


def _converted(values: Iterable[Any], converters: Iterable[tuple[int, Convert]]) -> list[Any]:
    row = list(values)
    for place, convert in converters:
        if row[place] is not None:
            row[place] = convert(row[place])
    return row


def _copy(connection: BaseDatabaseWrapper, place: str, _: int, rows: Iterable[list[Any]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {place} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _execute_many(connection: BaseDatabaseWrapper, place: str, count: int, rows: Iterable[list[Any]]) -> None:
    statement = f"INSERT INTO {place} VALUES ({', '.join(['?'] * count)})"  # noqa: S608  our own names
    connection.ensure_connection()
    # Of the driver itself: Django writes the statement anew for every row.
    connection.connection.executemany(statement, rows)


def _converter(field: Any, connection: BaseDatabaseWrapper) -> Convert | None:
    """From a value to what the database's driver takes; None where that is the value itself."""
    if isinstance(field, models.JSONField):
        return json.dumps
    return None if connection.vendor == "postgresql" else _FOR_SQLITE.get(type(field))


def _written(moment: datetime) -> str:
    return str(moment.astimezone(UTC).replace(tzinfo=None))


def _hex(number: UUID) -> str:
    return number.hex


_FOR_SQLITE: dict[type[Any], Convert] = {models.DateTimeField: _written, models.UUIDField: _hex}
