"""The lookup `among`: one of some constants, written into the statement so that partial indexes are found.

SQLite uses a partial index only where the statement repeats the index's condition word by word; with bound values it walks the
table, finished requests and all.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Lookup
from django.db.models.sql.compiler import SQLCompiler
from typing_extensions import override


@CharField.register_lookup
class Among(Lookup):
    """For closed sets in code only; the values are words, never input."""

    lookup_name = "among"
    prepare_rhs = False

    @override
    def as_sql(self, compiler: "SQLCompiler", connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        words = [str(value) for value in self.rhs]
        if not words or not all(word.replace(".", "_").isidentifier() for word in words):
            raise ValueError(f"among takes words, not {words}.")
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} IN ({', '.join(repr(word) for word in words)})", parameters
