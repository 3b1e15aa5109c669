"""A running deployment to measure, and the processes it is made of."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import psutil
from typing_extensions import override

from benchmarks import servers
from benchmarks.processes import Child, wait_until
from benchmarks.servers import Server, free_port

_MANAGE = [sys.executable, str(Path(__file__).resolve().parent.parent / "manage.py")]


class Stack(ABC):
    """Web, workers and what they need, with a scripted model: `with SqliteStack(...) as stack`."""

    name = ""
    database: Server | None = None
    redis: Server | None = None

    def __init__(self, *, processes: int, threads: int) -> None:
        self.processes = processes
        self.port = free_port()
        self.token = f"mash_bench_{secrets.token_urlsafe(24)}"
        self.directory = Path(tempfile.mkdtemp(prefix="mash-bench-"))
        self._opened = ExitStack()
        # The operator's own keys and settings must not leak into what is measured.
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("MASH_", "ANTHROPIC_", "OPENAI_"))
        }
        self.environment = {
            **kept,
            "PORT": str(self.port),
            "HOST": "127.0.0.1",
            "MASH_DATA_DIR": str(self.directory / "data"),
            "MASH_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            "MASH_WORKER_PROCESSES": str(processes),
            "MASH_WORKER_THREADS": str(threads),
            "MASH_DRAIN_SECONDS": "5",
            "MASH_LOG_LEVEL": "WARNING",
            "MASH_HOST_APP": "benchmarks.host:host",
            "BENCH_TOKEN": self.token,
        }

    def __enter__(self) -> Self:
        try:
            self._opened.callback(shutil.rmtree, self.directory, ignore_errors=True)
            self._start_model()
            self._open_servers()
            self._migrate()
            self._manage([sys.executable, "-m", "benchmarks.prepare"])
            self._start()
            wait_until(self._is_healthy, within_s=60, what="the web process")
            wait_until(lambda: len(self.worker_tree()) > self.processes + 2, within_s=60, what="the workers")
        except BaseException:
            self._opened.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @abstractmethod
    def _open_servers(self) -> None: ...

    @abstractmethod
    def _migrate(self) -> None: ...

    @abstractmethod
    def _start(self) -> None: ...

    @abstractmethod
    def web(self) -> psutil.Process: ...

    @abstractmethod
    def worker(self) -> psutil.Process:
        """The cluster's first process; its group holds every other one of it."""

    @abstractmethod
    def kill_and_restart_workers(self) -> float:
        """SIGKILL for the cluster's whole process group; the Unix time at which the new one was started."""

    def worker_tree(self) -> list[psutil.Process]:
        try:
            return [self.worker(), *self.worker().children(recursive=True)]
        except (psutil.NoSuchProcess, LookupError):
            return []

    def child(self, name: str, command: list[str]) -> Child:
        child = Child(name, command, directory=self.directory, environment=self.environment)
        self._opened.callback(child.stop)
        return child

    def _start_model(self) -> None:
        self.model = self.child("model", [sys.executable, "-u", "-m", "benchmarks.model_server"])
        wait_until(lambda: self.model.log.read_text().endswith("\n"), within_s=20, what="the model server")
        self.model_url = self.model.log.read_text().split()[0]
        self.environment["BENCH_MODEL_URL"] = self.model_url

    def _manage(self, command: list[str]) -> None:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(f"{command} failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/docs", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


class SqliteStack(Stack):
    """What `make run` starts: one command, one SQLite file, Unix datagrams."""

    name = "sqlite"

    @override
    def _open_servers(self) -> None:
        pass

    @override
    def _migrate(self) -> None:
        self._manage([*_MANAGE, "mash_run", "--prepare-only"])

    @override
    def _start(self) -> None:
        self.everything = self.child("mash_run", [*_MANAGE, "mash_run"])

    @override
    def web(self) -> psutil.Process:
        return self._part("runtime.web_server")

    @override
    def worker(self) -> psutil.Process:
        return self._part("mash_worker")

    @override
    def kill_and_restart_workers(self) -> float:
        old = self.worker()
        os.killpg(old.pid, 9)
        wait_until(
            lambda: self._is_new(old.pid), within_s=30, what="the supervisor to restart the workers", every_s=0.01
        )
        return float(self.worker().create_time())

    def _is_new(self, old: int) -> bool:
        try:
            return bool(self.worker().pid != old)
        except (LookupError, psutil.Error):
            return False

    def _part(self, word: str) -> psutil.Process:
        self.everything.fail_if_dead()
        for process in self.everything.process.children():
            if process.status() != psutil.STATUS_ZOMBIE and word in process.cmdline():
                return process
        raise LookupError(word)


class PostgresStack(Stack):
    """Production's parts: PostgreSQL, Redis, one web process and one cluster of workers."""

    name = "postgres"

    @override
    def _open_servers(self) -> None:
        self.database = self._opened.enter_context(servers.postgresql())
        self.redis = self._opened.enter_context(servers.redis(self.directory))
        self.environment |= {"MASH_DATABASE_URL": self.database.url, "MASH_REDIS_URL": self.redis.url}

    @override
    def _migrate(self) -> None:
        self._manage([*_MANAGE, "migrate", "--verbosity", "0"])

    @override
    def _start(self) -> None:
        self._web = self.child("web", [*_MANAGE, "mash_web", "--processes", "1"])
        self._worker = self.child("worker", [*_MANAGE, "mash_worker"])

    @override
    def web(self) -> psutil.Process:
        self._web.fail_if_dead()
        return self._web.process

    @override
    def worker(self) -> psutil.Process:
        return self._worker.process

    @override
    def kill_and_restart_workers(self) -> float:
        self._worker.kill_group()
        self._worker = self.child("worker", [*_MANAGE, "mash_worker"])
        return self._worker.started_at


STACKS: dict[str, type[Stack]] = {"sqlite": SqliteStack, "postgres": PostgresStack}
