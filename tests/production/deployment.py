"""A deployment made of the image's own commands, run by its entry point script with nothing else in the environment."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parent.parent.parent
ENTRYPOINT = ROOT / "docker" / "entrypoint.sh"
_PATIENCE_S = 30.0


@dataclass(slots=True)
class Deployment:
    """Servers, and the processes that run on them; each has a data directory of its own, as containers have."""

    directory: Path
    database_url: str
    redis_url: str
    secret_key: str = "only-for-the-test-of-the-entry-point"
    encryption_keys: str = field(default_factory=lambda: Fernet.generate_key().decode())
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, name: str) -> dict[str, str]:
        directory = self.directory / name
        directory.mkdir(exist_ok=True)
        return {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOST": "127.0.0.1",
            "MASH_DATA_DIR": str(directory),
            "MASH_DATABASE_URL": self.database_url,
            "MASH_REDIS_URL": self.redis_url,
            "MASH_SECRET_KEY": self.secret_key,
            "MASH_ENCRYPTION_KEYS": self.encryption_keys,
            "MASH_ALLOWED_HOSTS": "mash.example,127.0.0.1",
            "MASH_WORKER_PROCESSES": "1",
            "MASH_WORKER_THREADS": "8",
            "MASH_DATABASE_POOL": "4",
            "MASH_DRAIN_SECONDS": "5",
            "MASH_LEASE_SECONDS": "3",
        }

    def run(self, *command: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """A one-shot command to its end."""
        return subprocess.run(
            [ENTRYPOINT, *command],
            env=self.environment("once") | extra,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S * 2,
            check=False,
        )

    def start(self, name: str, *command: str, **extra: str) -> subprocess.Popen[bytes]:
        log = (self.directory / f"{name}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [ENTRYPOINT, *command],
                env=self.environment(name) | extra,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text()

    def kill_all(self) -> None:
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def deployment(directory: Path, database_url: str, redis_url: str) -> Iterator[Deployment]:
    made = Deployment(directory, database_url, redis_url)
    try:
        yield made
    finally:
        made.kill_all()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until_serving(url: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} does not serve.")
