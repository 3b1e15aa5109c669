"""Up to which event id a stream over many requests may read without ever missing one.

Ids are drawn before their transactions commit, so on PostgreSQL a smaller id can show up after a larger one. Whoever
inserts events holds a lock on their table, from before the first id is drawn until the transaction has ended. So: read
the sequence's last value h, then who holds that lock; once each of them has ended, no id up to h can still appear.
Transactions that do not write events, here or in other databases of the server, hold nothing up. SQLite has one writer
at a time, so there the newest id is the horizon.
"""

import threading

from django.db import connections, router

from runtime.models import RuntimeEvent

_TABLE = RuntimeEvent._meta.db_table
_SEQUENCE = f"SELECT last_value FROM {_TABLE}_id_seq"  # noqa: S608  a constant
_WRITERS = (
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock'"  # noqa: S608
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    f" AND relation = '{_TABLE}'::regclass"
)

_Candidate = tuple[int, frozenset[str]]
"""An event id, and the transactions that were writing events after it was read."""


# SQLite's planner would rather sort a whole index of the table than read it from its end.
_NEWEST_OF_SQLITE = f"SELECT seq FROM sqlite_sequence WHERE name = '{_TABLE}'"  # noqa: S608  a constant


def newest_event_id() -> int:
    """The largest event id of the deployment; 0 while there is none."""
    connection = connections[router.db_for_read(RuntimeEvent)]
    if connection.vendor != "sqlite":
        return RuntimeEvent.rows.order_by("-id").values_list("id", flat=True).first() or 0
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_OF_SQLITE)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


class Horizon:
    """Shared by all streams of a process; each look may move it forward."""

    def __init__(self) -> None:
        self._settled = 0
        self._candidate: _Candidate | None = None
        self._lock = threading.Lock()

    def look(self) -> tuple[int, bool]:
        """The largest id up to which the log is complete for good, and whether that is the newest id drawn."""
        connection = connections[router.db_for_read(RuntimeEvent)]
        if connection.vendor != "postgresql":
            return newest_event_id(), True
        candidate = self._candidate
        with connection.cursor() as cursor:
            cursor.execute(_SEQUENCE)
            last_value = int(cursor.fetchone()[0])
            # A statement of its own, so that the locks are looked at after the sequence was read.
            cursor.execute(_WRITERS)
            writers = frozenset(str(transaction) for (transaction,) in cursor.fetchall())
        settled = self._advance(candidate, last_value, writers)
        return settled, settled >= last_value

    def _advance(self, candidate: _Candidate | None, last_value: int, writers: frozenset[str]) -> int:
        """Only a look that began after the candidate was chosen can say that its writers have ended."""
        with self._lock:
            if not writers:
                self._settled = max(self._settled, last_value)
                self._candidate = None
            elif self._candidate is None:
                self._candidate = (last_value, writers)
            elif candidate is self._candidate and writers.isdisjoint(candidate[1]):
                self._settled = max(self._settled, candidate[0])
                self._candidate = (last_value, writers)
            return self._settled


horizon = Horizon()
