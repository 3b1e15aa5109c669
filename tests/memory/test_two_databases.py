"""Memory in a database of its own: a part of the suite once more, with `MASH_MEMORY_DATABASE_URL` set."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PART = ["tests/memory", "tests/runtime/test_turns.py", "tests/runtime/test_sessions.py", "tests/admin/test_lists.py"]


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
