"""What a database URL means here, and which rows live in which database."""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from mashsite.env import env_flag

MEMORY = "memory"
_MEMORY_MODELS = frozenset({"session", "turn", "searchentry"})


def postgresql(variable: str, url: str) -> dict[str, Any]:
    """Connection settings for a `postgresql://` URL."""
    database: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=0))
    if database["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured(f"{variable} must be a postgresql:// URL; leave it out for SQLite.")
    database["ENGINE"] = "workspaces.postgresql"
    # Plans are kept per connection: a poller that hands out connections per transaction needs MASH_DATABASE_PREPARE=off
    if env_flag("MASH_DATABASE_PREPARE", default=True):
        database.setdefault("OPTIONS", {}).update(server_side_binding=True, prepare_threshold=3)
    return database


def sqlite(file: Path) -> dict[str, Any]:
    """Connection settings for an SQLite file: one writer at a time, readers beside it."""
    return {
        "ENGINE": "workspaces.sqlite",
        "NAME": str(file),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
        },
    }


def memory_database(url: str) -> dict[str, Any]:
    """Memory's own database: PostgreSQL, or a file given as `sqlite:////path`."""
    if url.startswith("sqlite:"):
        return sqlite(Path(str(dj_database_url.parse(url)["NAME"])))
    return postgresql("MASH_MEMORY_DATABASE_URL", url)


class MemoryRouter:
    """Sends sessions, turns and their search to the database `memory`, and everything else to `default`."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return _place(model._meta.app_label, model._meta.model_name)

    db_for_write = db_for_read

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool:
        """Rows of memory name their workspace, though no constraint can."""
        return True

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        return db == _place(app_label, model_name)


def _place(app_label: str, model_name: str | None) -> str:
    return MEMORY if app_label == "agents" and model_name in _MEMORY_MODELS else "default"
