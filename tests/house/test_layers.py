"""The architecture holds: import-linter's contracts of `pyproject.toml`."""

import subprocess
import sys
from pathlib import Path


def test_imports_point_one_way() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    root = Path(__file__).resolve().parent.parent.parent
    linted = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert linted.returncode == 0, linted.stdout + linted.stderr
