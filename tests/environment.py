"""What the suite runs against, decided before Django reads its settings: a pytest plugin, named in `pyproject.toml`."""

import atexit
import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

from cryptography.fernet import Fernet
from django.conf import settings


def prepare() -> None:
    """Sets the environment; each xdist worker has its own data directory, Redis database and (by pytest-django) database."""
    if settings.configured:
        raise RuntimeError("Django's settings were read before the tests prepared their surroundings.")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    data = _data_directory(worker)
    os.environ |= {
        "MASH_DATA_DIR": str(data),
        "MASH_STATIC_ROOT": str(data / "static"),
        "MASH_SECRET_KEY": "only-for-tests",
        "MASH_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "MASH_ALLOWED_HOSTS": "testserver",
        "MASH_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        "MASH_LOG_LEVEL": "WARNING",
    }
    if redis_url := os.environ.get("MASH_REDIS_URL"):
        number = int(worker.removeprefix("gw")) + 1 if worker else 0
        os.environ["MASH_REDIS_URL"] = f"{redis_url.partition('?')[0]}?db={number}"
    os.environ["DJANGO_SETTINGS_MODULE"] = "mashsite.settings"
    # Threads share the test's database, so it must not live in one connection's memory.
    if not os.environ.get("MASH_DATABASE_URL"):
        settings.DATABASES["default"]["TEST"] = {"NAME": str(data / "test.sqlite3")}
    if os.environ.get("MASH_MEMORY_DATABASE_URL", "").startswith("sqlite:"):
        settings.DATABASES["memory"]["TEST"] = {"NAME": str(data / "test-memory.sqlite3")}


def _data_directory(worker: str) -> Path:
    if given := os.environ.get("MASH_DATA_DIR"):
        base = Path(given)
    else:
        base = Path(mkdtemp(prefix="mash-tests-", dir="/tmp"))
        atexit.register(shutil.rmtree, base, ignore_errors=True)
    data = base / worker if worker else base
    (data / "static").mkdir(parents=True, exist_ok=True)
    return data


prepare()
