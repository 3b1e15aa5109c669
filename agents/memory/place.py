"""Where memory lives: the runtime's database, or one of its own (`MASH_MEMORY_DATABASE_URL`)."""

from django.db import DEFAULT_DB_ALIAS, router

from agents.memory.models import Turn


def memory_database() -> str:
    """The alias of the database that holds sessions, turns and what searches them."""
    return router.db_for_write(Turn)


def is_apart() -> bool:
    """Whether a transaction of the runtime leaves memory out."""
    return memory_database() != DEFAULT_DB_ALIAS
