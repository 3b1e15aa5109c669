"""Up to which event id a stream over many requests may read without ever missing one.

Ids are drawn before their transactions commit, so on PostgreSQL a smaller id can show up after a larger one. Every
transaction that writes events has its own id before it draws event ids (`events.append` updates a row first). So: read
the sequence's last value h, then a snapshot; once every transaction that ran in that snapshot has ended, no id up to h
can still appear. SQLite has one writer at a time, so there the newest id is the horizon.
"""

import threading

from django.db import connections, router

from runtime.models import RuntimeEvent

_SEQUENCE = f"SELECT last_value FROM {RuntimeEvent._meta.db_table}_id_seq"  # noqa: S608  a constant
_SNAPSHOT = "SELECT pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text FROM pg_current_snapshot() AS s"


class Horizon:
    """Shared by all streams of a process; each look may move it forward."""

    def __init__(self) -> None:
        self._settled = 0
        self._candidate: tuple[int, int] | None = None
        """An event id, and the first transaction id that had not begun when it was read."""
        self._lock = threading.Lock()

    def look(self) -> tuple[int, bool]:
        """The largest id up to which the log is complete for good, and whether that is the newest id drawn."""
        connection = connections[router.db_for_read(RuntimeEvent)]
        if connection.vendor != "postgresql":
            return RuntimeEvent.rows.order_by("-id").values_list("id", flat=True).first() or 0, True
        with connection.cursor() as cursor:
            cursor.execute(_SEQUENCE)
            last_value = int(cursor.fetchone()[0])
            # A statement of its own, so that its snapshot is taken after the sequence was read.
            cursor.execute(_SNAPSHOT)
            oldest_running, next_transaction = (int(text) for text in cursor.fetchone())
        settled = self._advance(last_value, oldest_running, next_transaction)
        return settled, settled >= last_value

    def _advance(self, last_value: int, oldest_running: int, next_transaction: int) -> int:
        with self._lock:
            if oldest_running == next_transaction:
                self._settled = max(self._settled, last_value)
                self._candidate = None
            elif self._candidate is None:
                self._candidate = (last_value, next_transaction)
            elif oldest_running >= self._candidate[1]:
                self._settled = max(self._settled, self._candidate[0])
                self._candidate = (last_value, next_transaction)
            return self._settled


horizon = Horizon()
