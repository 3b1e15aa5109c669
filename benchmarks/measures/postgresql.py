"""Questions to the database of the measured stack, on a connection that is closed at once."""

from collections.abc import Sequence
from typing import Any

import psycopg

from benchmarks.stack import Stack


def query(stack: Stack, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    if stack.database is None:
        raise RuntimeError("This stack has no PostgreSQL.")
    with psycopg.connect(stack.database.url) as connection:
        return connection.execute(statement.encode(), values).fetchall()


def version(stack: Stack) -> str:
    [(text,)] = query(stack, "SHOW server_version")
    return str(text)
