"""Memory in a database of its own: a part of the suite once more, with `MASH_MEMORY_DATABASE_URL` set."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ["tests/pages/test_sessions.py", "tests/pages/test_memory.py", "tests/pages/test_signals.py"]
PART = ["tests/memory", "tests/runtime/test_sessions.py", "tests/admin/test_lists.py", *PAGES]


def database_urls(directory: Path) -> dict[str, str]:
    """Two databases that nobody else uses: files, or two more on the server of this run."""
    url = os.environ.get("MASH_DATABASE_URL")
    if not url:
        return {"MASH_MEMORY_DATABASE_URL": f"sqlite:///{directory / 'memory.sqlite3'}"}
    parts = urlsplit(url)
    names = {"MASH_DATABASE_URL": "/mash_apart", "MASH_MEMORY_DATABASE_URL": "/mash_apart_memory"}
    return {variable: f"{parts.scheme}://{parts.netloc}{name}?{parts.query}" for variable, name in names.items()}


@pytest.mark.timeout(600)
def test_memory_works_in_a_database_of_its_own(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "MASH_DATA_DIR": str(tmp_path),
        "PYTEST_XDIST_WORKER": "gw50",
        **database_urls(tmp_path),
    }
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *PART]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]
    assert "passed" in ran.stdout


def test_both_databases_are_migrated_and_named(tmp_path: Path) -> None:
    file = tmp_path / "memory.sqlite3"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MASH_")}
    environment = {**kept, "MASH_DATA_DIR": str(tmp_path / "data"), "MASH_MEMORY_DATABASE_URL": f"sqlite:///{file}"}

    def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert "migrations" in manage("mash_migrate", "--check").stderr
    assert manage("mash_run", "--prepare-only").returncode == 0
    assert manage("mash_migrate", "--check").returncode == 0
    assert str(file) in manage("mash_doctor").stdout
    with closing(sqlite3.connect(file)) as memory, closing(sqlite3.connect(tmp_path / "data" / "mash.sqlite3")) as rest:
        tables = [{name for (name,) in each.execute("SELECT name FROM sqlite_master")} for each in (memory, rest)]
    assert {"agents_session", "agents_turn", "agents_search"} <= tables[0] - tables[1]
    assert {"agents_agent", "runtime_agentrequest"} <= tables[1] - tables[0]
