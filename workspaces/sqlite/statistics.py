"""What SQLite knows of its tables when it chooses an index; connections that open later know it too."""

from django.db import connections


def refresh_statistics() -> None:
    """Lets every SQLite database look at its tables, a few milliseconds' work: without it, it misses indexes."""
    for connection in connections.all():
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA analysis_limit=400")
                # Before SQLite 3.46, `PRAGMA optimize` leaves out tables that this connection has not asked yet.
                cursor.execute("ANALYZE")
