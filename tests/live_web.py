"""A web process of its own on the test's database, for clients that need a real connection."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import psutil
from django.db import connection

from runtime.web import daphne_command, listen

_ROOT = Path(__file__).resolve().parent.parent
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class LiveWeb:
    url: str
    process: psutil.Process

    @property
    def socket_url(self) -> str:
        return f"ws{self.url.removeprefix('http')}/ws/v1/"

    def memory(self) -> int:
        """Resident bytes."""
        return int(self.process.memory_info().rss)


@contextmanager
def live_web() -> Iterator[LiveWeb]:
    data = Path(os.environ["MASH_DATA_DIR"])
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with listener, (data / "live-web.log").open("wb") as log:
        process = subprocess.Popen(
            daphne_command(listener.fileno()),
            cwd=_ROOT,
            env=os.environ | _database(data) | {"MASH_ALLOWED_HOSTS": "127.0.0.1"},
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
        )
    try:
        _wait_until_serving(url, data / "live-web.log")
        yield LiveWeb(url, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def _database(data: Path) -> dict[str, str]:
    """Where the process finds the test's database under the names that the product knows."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "postgresql":
        place = data / "mash.sqlite3"
        place.unlink(missing_ok=True)
        place.symlink_to(name)
        return {}
    parts = urlsplit(os.environ["MASH_DATABASE_URL"])
    return {"MASH_DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}"))}


def _wait_until_serving(url: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} does not serve: {log.read_text()[-2000:]}")
