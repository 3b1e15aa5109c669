"""Django's PostgreSQL backend with a pool that notices dead connections without a round trip, and quicker inserts."""

import select
from collections.abc import Callable
from typing import Any, ClassVar

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base, operations
from psycopg import Connection
from psycopg_pool import ConnectionPool
from typing_extensions import override


class DatabaseOperations(operations.DatabaseOperations):
    compiler_module = "workspaces.postgresql.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
    # Django's own, which its stubs leave out
    _connection_pools: ClassVar[dict[str, ConnectionPool[Connection[Any]]]]
    _configure_connection: Callable[[Connection[Any]], None]

    @property
    @override
    def pool(self) -> ConnectionPool[Connection[Any]] | None:
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        if self.alias not in self._connection_pools:
            pool = ConnectionPool(
                kwargs=self.get_connection_params() | {"autocommit": True},
                open=False,
                configure=self._configure_connection,
                check=_refuse_dead_connection,
                **options,
            )
            self._connection_pools.setdefault(self.alias, pool)
        return self._connection_pools[self.alias]


def _refuse_dead_connection(connection: Connection[Any]) -> None:
    """An idle connection has nothing to read: if there is, the server has most likely closed it, so ask."""
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    if poll.poll(0):
        ConnectionPool.check_connection(connection)
