"""All databases of the deployment: one, or two where memory has its own."""

from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor


def reach_all() -> None:
    """Opens every connection; raises the first database error."""
    for connection in connections.all():
        connection.ensure_connection()


def count_missing_migrations() -> int:
    """How many migrations the databases lack in all."""
    missing = 0
    for connection in connections.all():
        executor = MigrationExecutor(connection)
        missing += len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return missing


def migrate_all(*, verbosity: int) -> None:
    for alias in connections:
        call_command("migrate", database=alias, interactive=False, verbosity=verbosity)
