"""A whole deployment in a directory: database, queue, model server, web and clusters of workers."""

import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Self

import httpx
import psycopg

from benchmarks.chaos.client import Client
from benchmarks.chaos.host import LEDGER_VARIABLE
from benchmarks.chaos.log import Log, PostgresLog, SqliteLog
from benchmarks.chaos.processes import ROOT, Process, signal_quietly
from benchmarks.chaos.servers import Postgres, Redis, free_port, wait_until
from benchmarks.model_server import ModelServer

Kind = Literal["sqlite", "postgres"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgres")


class Stack:
    """Use it as a context manager: whatever it started has ended when the block is left."""

    def __init__(self, kind: Kind, directory: Path, *, clusters: int = 1, environment: dict[str, str] | None = None):
        self.kind = kind
        self.directory = directory
        self.data_directory = directory / "data"
        self.data_directory.mkdir(parents=True, exist_ok=True)
        self.ledger_file = directory / "ledger.jsonl"
        self.ledger_file.touch()
        self.model = ModelServer()
        self.postgres = Postgres(directory / "postgres") if kind == "postgres" else None
        self.redis = Redis(directory / "redis") if kind == "postgres" else None
        self.port = free_port()
        self.token = f"mash_chaos_{secrets.token_urlsafe(24)}"
        self.client = Client(f"http://127.0.0.1:{self.port}", self.token)
        self._extra = environment or {}
        self._others: list[Process] = []
        self._cluster_count = clusters
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Self:
        try:
            self._set_up()
        except BaseException:
            self._tear_down()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._tear_down()

    def _set_up(self) -> None:
        self.model.__enter__()
        for server in filter(None, (self.postgres, self.redis)):
            server.start()
        self.environment = self._environment()
        self.web = self.process("web", "mash_web")
        self.clusters = [self.process(f"cluster {number}", "mash_worker") for number in range(self._cluster_count)]
        prepare = [sys.executable, "manage.py", "mash_run", "--prepare-only"]
        subprocess.run(prepare, cwd=ROOT, env=self.environment, check=True, capture_output=True, timeout=60)
        for process in (self.web, *self.clusters):
            process.start()
        self.wait_for_web()
        for cluster in self.clusters:
            self.wait_for_crew(cluster)
        self._keeper.start()

    def _keep(self) -> None:
        """What a supervisor does: starts again a cluster that has ended by itself."""
        while not self._closing.wait(0.2):
            for cluster in self.clusters:
                if cluster.is_wanted and not cluster.is_running():
                    cluster.start()

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MASH_", "OPENAI_"))}
        chosen = {
            "MASH_DATA_DIR": str(self.data_directory),
            "MASH_API_KEY": self.token,
            "MASH_HOST_APP": "benchmarks.chaos.host:host",
            LEDGER_VARIABLE: str(self.ledger_file),
            "OPENAI_BASE_URL": f"{self.model.url}/v1",
            "OPENAI_API_KEY": "scripted",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "MASH_WORKER_PROCESSES": "2",
            "MASH_WORKER_THREADS": "64",
            "MASH_DRAIN_SECONDS": "3",
        }
        if self.postgres and self.redis:
            chosen |= {"MASH_DATABASE_URL": self.postgres.url, "MASH_REDIS_URL": self.redis.url}
        return inherited | chosen | self._extra

    def process(self, name: str, *arguments: str, environment: dict[str, str] | None = None) -> Process:
        """A `manage.py` command of this deployment, not yet started; it ends with the stack."""
        log = self.directory / f"{name.replace(' ', '-')}.log"
        process = Process(name, list(arguments), self.environment | (environment or {}), log)
        self._others.append(process)
        return process

    def log(self) -> Log:
        """The database, read without the product's code."""
        if self.postgres:
            return PostgresLog(self.postgres.url)
        return SqliteLog(self.data_directory / "mash.sqlite3")

    @contextmanager
    def write_lock(self, request_id: str) -> Iterator[None]:
        """Nobody writes the request meanwhile; in SQLite, nobody writes anything."""
        if self.postgres:
            with psycopg.connect(self.postgres.url) as holder:
                holder.execute("SELECT FROM runtime_agentrequest WHERE request_id = %s FOR UPDATE", [request_id])
                yield
            return
        connection = sqlite3.connect(self.data_directory / "mash.sqlite3", timeout=10, isolation_level=None)
        with closing(connection):
            connection.execute("BEGIN IMMEDIATE")
            yield

    def ledger(self) -> list[dict[str, Any]]:
        """What the tools wrote down, in order."""
        return [json.loads(line) for line in self.ledger_file.read_text().splitlines()]

    def differences(self) -> list[str]:
        """What `mash_rebuild --check` finds: projections that are not as the log says, and logs that cannot be right."""
        command = [sys.executable, "manage.py", "mash_rebuild", "--check", "--json"]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, timeout=300, check=False)
        if done.returncode not in {0, 1}:
            return [f"mash_rebuild broke: {done.stderr.decode()[-2000:]}"]
        found: list[str] = json.loads(done.stdout)["differences"]
        return found

    def wait_for_web(self, within_s: float = 20) -> float:
        def answers() -> bool:
            with suppress(httpx.HTTPError):
                return self.client.http.get("/healthz", timeout=2).status_code == 200
            return False

        return wait_until("web answers", answers, within_s)

    def wait_for_crew(self, cluster: Process, within_s: float = 20) -> float:
        return wait_until(f"{cluster.name} is complete", lambda: len(cluster.crew()) >= 4, within_s)

    def wait_for(self, what: str, is_so: Callable[[Log], bool], within_s: float = 30) -> float:
        """Waits for something to be read in the database."""

        def look() -> bool:
            with self.log() as log:
                return is_so(log)

        return wait_until(what, look, within_s)

    def wait_for_all(self, within_s: float = 60) -> float:
        """Until no request is unfinished."""
        return self.wait_for("every request has ended", lambda log: not log.unfinished(), within_s)

    def count_unfinished(self) -> int:
        with self.log() as log:
            return len(log.unfinished())

    def ensure_running(self) -> None:
        """Starts again whatever is down."""
        for process in (self.web, *self.clusters):
            if not process.is_running():
                process.start()
        self.wait_for_web()
        for cluster in self.clusters:
            self.wait_for_crew(cluster)

    def _tear_down(self) -> None:
        self._closing.set()
        if self._keeper.ident is not None:
            self._keeper.join()
        for process in self._others:
            for member in process.family() if process.pid_known else []:
                signal_quietly(member.pid, signal.SIGCONT)
            process.kill_all()
        for server in filter(None, (self.postgres, self.redis)):
            server.signal(signal.SIGCONT)
            server.kill()
        self.client.http.close()
        self.model.__exit__()
