"""The one table, on the terminal and as docs/benchmarks.md."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.results import Result

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
_PACKAGES = ("django", "djangorestframework", "daphne", "psycopg", "django-q2", "redis", "anthropic", "httpx2")
_HEADINGS = ("measure", "budget", "measured", "", "remarks")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackReport:
    name: str
    setup: str
    results: Sequence[Result]
    profile: Mapping[str, str]
    """Text of the profile by process; empty when none was asked for."""


def machine() -> list[str]:
    memory = psutil.virtual_memory().total / 2**30
    one, five, _ = os.getloadavg()
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {_cpu_model()}; load average before the run {one:.1f} (1 min), {five:.1f} (5 min)",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        packages,
    ]


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def as_text(report: StackReport) -> str:
    rows = [_HEADINGS, *(_cells(result) for result in report.results)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [f"{report.name}: {report.setup}"]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[4]]).rstrip())
    for process, text in report.profile.items():
        lines += ["", f"profile of {process}", text]
    return "\n".join(lines)


def as_document(about: Sequence[str], reports: Sequence[StackReport]) -> str:
    parts = [_OPENING, *(f"- {line}" for line in about), ""]
    for report in reports:
        parts += [f"## {report.name}", "", report.setup, "", _table(report.results), ""]
    parts += [_WHERE_TIME_GOES, *_profiles(reports), _REPEAT]
    return "\n".join(parts)


def write_document(about: Sequence[str], reports: Sequence[StackReport]) -> None:
    """Rewrites everything but the section on pages, which has a run of its own."""
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(as_document(about, reports) + _pages_section())


def write_pages(about: Sequence[str], reports: Sequence[StackReport]) -> None:
    """Rewrites the section on pages, and leaves the rest."""
    parts = [_PAGES, *(f"- {line}" for line in about), ""]
    for report in reports:
        parts += [f"### Pages, {report.name}", "", report.setup, "", _table(report.results), ""]
    before = DOCUMENT.read_text().removesuffix(_pages_section()).rstrip()
    DOCUMENT.write_text("\n".join([before, "", *parts]))


def _pages_section() -> str:
    text = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    place = text.find(_PAGES_HEADING)
    return text[place:] if place >= 0 else ""


def _profiles(reports: Sequence[StackReport]) -> list[str]:
    texts = [
        f"### {report.name}, {process}, 32 clients with echo turns\n\n```\n{text}\n```\n"
        for report in reports
        for process, text in report.profile.items()
    ]
    return texts or ["No profile was taken with this run; `--profile echo --write` puts one here.\n"]


def _table(results: Sequence[Result]) -> str:
    lines = [f"| {' | '.join(_HEADINGS)} |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(_cells(result))} |" for result in results]
    return "\n".join(lines)


def _cells(result: Result) -> tuple[str, str, str, str, str]:
    return result.name, result.budget, result.value, result.verdict, result.note


_OPENING = """# Benchmarks

The last run of `benchmarks/`, written by the program itself: web, worker, database, queue, a scripted model without
latency and the load generator share one machine, so every number includes the others' appetite. Nothing is measured by a timed test.
"""
_PAGES_HEADING = "## Pages\n"
_PAGES = f"""{_PAGES_HEADING}
The last run of `make bench-ui`: a web process on a database full of `mash_seed_demo`, looked at by a client that reads `Server-Timing`
and by Chromium. Sizes are those on the wire.
"""
_WHERE_TIME_GOES = """## Where the time goes

The tables' lines "CPU per turn" divide the processors' time by process: with two cores, turns per second cannot exceed
2000 ms divided by their sum. `load` and `model server` are the benchmark's own share. A profile shows what each process does with its part.
"""
_REPEAT = """## How to repeat it

`make bench` runs everything on both stacks and rewrites this file; it takes about ten minutes and wants the machine for itself.

    python -m benchmarks --stack postgres --only latency,throughput
    python -m benchmarks --stack all --profile echo --write

Each measure says in the first lines of its file under `benchmarks/measures/` what exactly it counts.
"""
