"""Django's compiler for PostgreSQL, whose inserts of a few rows name each value.

Django sends more than one row as arrays, one a column, which spares planning. Our statements are prepared, so there is
nothing to spare, and psycopg writes arrays element by element in Python: several times as slow as plain values.
"""

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import compiler
from django.db.backends.postgresql.compiler import (  # noqa: F401  looked up here by name
    SQLAggregateCompiler,
    SQLCompiler,
    SQLDeleteCompiler,
    SQLUpdateCompiler,
)
from django.db.models.sql.compiler import SQLInsertCompiler as PlainInsertCompiler
from typing_extensions import override

# Each number of rows is a statement of its own, and a connection keeps a hundred prepared.
_FEW = 24


class SQLInsertCompiler(compiler.SQLInsertCompiler):
    @override
    def assemble_as_sql(self, fields: Sequence[Any], value_rows: Sequence[Any]) -> Any:
        if len(value_rows) <= _FEW:
            return PlainInsertCompiler.assemble_as_sql(self, fields, value_rows)
        return super().assemble_as_sql(fields, value_rows)
