"""A stack whose database holds a history, seeded once and kept for the next run."""

import hashlib
import json
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
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
            _copy_sqlite(kept, database)
            super()._migrate()
            return
        self.seed()
        if kept:
            with _in_place_when_whole(kept) as part:
                _copy_sqlite(database, part)


class SeededPostgres(_Seeded, PostgresStack):
    @override
    def _migrate(self) -> None:
        kept = self.history.kept_as("dump")
        if kept and kept.exists():
            self._postgresql("pg_restore", "--no-owner", f"--dbname={self._url}", str(kept))
        else:
            super()._migrate()
            self.seed()
            if kept:
                with _in_place_when_whole(kept) as part:
                    self._postgresql("pg_dump", "--format=custom", "--compress=1", f"--file={part}", self._url)
        self._postgresql("psql", "--quiet", "--command=VACUUM ANALYZE", self._url)
        super()._migrate()

    @property
    def _url(self) -> str:
        assert self.database
        return self.database.url

    def _postgresql(self, program: str, *arguments: str) -> None:
        """Of the server's own version: the wheel holds several."""
        assert self.database
        self._run([str(Path(self.database.process.exe()).parent / program), *arguments])


def _copy_sqlite(origin: Path, copy: Path) -> None:
    """With what is in the write-ahead log only."""
    with closing(sqlite3.connect(origin)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


@contextmanager
def _in_place_when_whole(kept: Path) -> Iterator[Path]:
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(".part")
    part.unlink(missing_ok=True)
    yield part
    part.rename(kept)


SITES: dict[str, type[SeededSqlite | SeededPostgres]] = {"sqlite": SeededSqlite, "postgres": SeededPostgres}
