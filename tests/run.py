"""Runs the whole suite on both columns (design.md 6): `python -m tests.run [pytest arguments]`.

First on SQLite, then on PostgreSQL and Redis. The last line says how many tests passed and failed in all.
"""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from tests.servers import postgresql, redis_server

_ROOT = Path(__file__).resolve().parent.parent
_NO_TESTS_SELECTED = 5
# What the surroundings may have set and would change what is tested
_FOREIGN = ("MASH_", "ANTHROPIC_", "OPENAI_", "DJANGO_SETTINGS_MODULE")


# Neither database nor queue matters to these, so once is enough.
_ONCE = ("tests/agents/llm", "tests/browser/test_accessibility.py")


@dataclass(frozen=True, slots=True)
class Outcome:
    passed: int
    failed: int
    is_good: bool


def main(arguments: list[str]) -> int:
    # Ends as an exception, so that the servers of the run are stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    outcomes = [_run_sqlite(arguments), _run_postgresql(arguments)]
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    is_good = passed > 0 and failed == 0 and all(outcome.is_good for outcome in outcomes)
    _say(f"{passed} passed, {failed} failed")
    return 0 if is_good else 1


def _run_sqlite(arguments: list[str]) -> Outcome:
    _say("== SQLite, queue in the database, news by Unix datagrams")
    return _pytest(arguments, {})


def _run_postgresql(arguments: list[str]) -> Outcome:
    _say("== PostgreSQL and Redis")
    with ExitStack() as servers:
        database_url = servers.enter_context(postgresql())
        redis_url = servers.enter_context(redis_server())
        left_out = [f"--ignore={path}" for path in _ONCE]
        return _pytest([*left_out, *arguments], {"MASH_DATABASE_URL": database_url, "MASH_REDIS_URL": redis_url})


def _pytest(arguments: list[str], column: dict[str, str]) -> Outcome:
    with TemporaryDirectory(prefix="mash-tests-", dir="/tmp") as directory:
        report = Path(directory) / "report.xml"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        environment |= {**column, "MASH_DATA_DIR": directory}
        command = [sys.executable, "-m", "pytest", "-n", "2", f"--junitxml={report}", *arguments]
        code = subprocess.run(command, cwd=_ROOT, env=environment, check=False).returncode
        return _read(report, code)


def _read(report: Path, code: int) -> Outcome:
    is_good = code in {0, _NO_TESTS_SELECTED}
    if not report.exists():
        return Outcome(passed=0, failed=0, is_good=is_good)
    counts = [suite.attrib for suite in ElementTree.parse(report).getroot().iter("testsuite")]
    tests, failed = (sum(int(count[name]) for count in counts for name in names) for names in _COUNTED)
    return Outcome(passed=tests - failed, failed=failed, is_good=is_good)


_COUNTED = (("tests",), ("failures", "errors", "skipped"))


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  what the command is for


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
