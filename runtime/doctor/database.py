"""The database: reachable, migrated, set up as it should be, and with a clock that agrees with ours."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import Error, connection, connections

from agents.memory.place import is_apart, memory_database
from runtime.doctor.finding import Finding, fail, ok, warn
from workspaces.databases import count_missing_migrations, reach_all

_SKEW_S = 2.0


def examine() -> Iterator[Finding]:
    try:
        reach_all()
    except Error as error:
        # The driver's text names host and user but may also repeat the whole URL.
        advice = "Check MASH_DATABASE_URL (and MASH_MEMORY_DATABASE_URL) and that the server runs; for SQLite, that the data directory is writable."
        yield fail("database", f"cannot be reached ({type(error).__name__})", advice)
        return
    yield from _sqlite() if connection.vendor == "sqlite" else _postgresql()
    if is_apart():
        about = connections[memory_database()]
        yield ok("memory", f"in a database of its own: {about.vendor}, {about.settings_dict['NAME']}")
    yield _migrations()


def _sqlite() -> Iterator[Finding]:
    yield ok("database", f"SQLite {_ask('SELECT sqlite_version()')} at {settings.DATABASES['default']['NAME']}")
    mode = str(_ask("PRAGMA journal_mode"))
    if mode == "wal":
        yield ok("database journal", "write-ahead log")
    else:
        yield warn("database journal", f"{mode}, not WAL", "The data directory must be on a local file system.")


def _postgresql() -> Iterator[Finding]:
    used, most = int(_ask("SELECT count(*) FROM pg_stat_activity")), int(_ask("SHOW max_connections"))
    name = connection.settings_dict["NAME"]
    yield ok("database", f"PostgreSQL {_ask('SHOW server_version')}, database {name}")
    text = f"{used} of the server's {most} in use; up to {settings.MASH_DATABASE_POOL} in each of our processes"
    if used > most * 0.8:
        yield warn("database connections", text, "Raise max_connections or lower MASH_DATABASE_POOL.")
    else:
        yield ok("database connections", text)
    yield _clock()


def _clock() -> Finding:
    skew_s = (_ask("SELECT clock_timestamp()") - datetime.now(UTC)).total_seconds()
    text = f"{abs(skew_s):.1f} s {'ahead of' if skew_s > 0 else 'behind'} this machine"
    if abs(skew_s) > _SKEW_S:
        return warn("database clock", text, "Let NTP set both clocks; deadlines and expiry are judged by them.")
    return ok("database clock", text)


def _migrations() -> Finding:
    missing = count_missing_migrations()
    if missing:
        return fail("database", f"{missing} migrations are missing", "Run `manage.py mash_migrate`.")
    return ok("migrations", "all applied")


def _ask(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return row[0] if row else ""
