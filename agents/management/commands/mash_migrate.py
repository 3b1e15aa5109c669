"""`manage.py mash_migrate`: brings the database up to date, or waits until somebody did."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import Error, connections
from typing_extensions import override

from agents.catalogue import sync_code_agents
from agents.management.code_agents import check_code_agents
from workspaces import databases
from workspaces.management.command import MashCommand
from workspaces.models import Workspace

_PAUSE_S = 0.5


class Command(MashCommand):
    help = """Migrate the database and give every workspace the agents that code defines.

Examples:
  manage.py mash_migrate --wait 60            # wait for the database to come up, then migrate
  manage.py mash_migrate --check --wait 60    # wait for somebody else to migrate; change nothing

Exit codes: 0 the database is up to date, 1 it is not (the message says why), 2 wrong arguments."""

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing; fail when a migration is missing.")
        parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="Try for so long (default: 0).")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + options["wait"]
        while True:
            trouble = _trouble(may_be_behind=not options["check"])
            if trouble is None:
                break
            if time.monotonic() >= deadline:
                raise CommandError(trouble)
            time.sleep(_PAUSE_S)
        if not options["check"]:
            check_code_agents()
            databases.migrate_all(verbosity=options["verbosity"])
            sync_code_agents(Workspace.objects.all())


def _trouble(*, may_be_behind: bool) -> str | None:
    """Why the database will not do, if it will not."""
    try:
        databases.reach_all()
        missing = 0 if may_be_behind else databases.count_missing_migrations()
    except Error as error:
        connections.close_all()
        return (
            f"The database cannot be reached ({type(error).__name__})."
            " Check MASH_DATABASE_URL, MASH_MEMORY_DATABASE_URL and their server."
        )
    if not missing:
        return None
    return f"The database lacks {missing} migrations. Run `migrate` of this version first (docs/operations.md)."
