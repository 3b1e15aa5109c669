"""How a long-lived process holds its database connections."""

from django.conf import settings
from django.db import connections


def keep_connections() -> None:
    """PostgreSQL: a pool, shared by the threads of this process. SQLite: one connection a thread, which costs nothing idle.

    Called after the last fork, before the first query: a forked pool mixes up two processes' answers.
    """
    for alias in connections:
        database = connections.settings[alias]
        if database["ENGINE"] == "workspaces.postgresql":
            database["OPTIONS"]["pool"] = {"min_size": 1, "max_size": settings.MASH_DATABASE_POOL, "timeout": 30}
        else:
            database["CONN_MAX_AGE"] = None
