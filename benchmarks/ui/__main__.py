"""`python -m benchmarks.ui`: starts the product on a seeded database, signs in, and measures its pages."""

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from benchmarks import report
from benchmarks.measures import speed
from benchmarks.report import StackReport
from benchmarks.ui import answers, browser
from benchmarks.ui.site import SITES, History
from benchmarks.ui.visitor import Visitor

logger = logging.getLogger("benchmarks.ui")


def main() -> int:
    options = _parser().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logger.setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    about = report.machine()
    print("\n".join(about), flush=True)
    history = History(requests=options.requests, cache=options.cache)
    reports = []
    for name in list(SITES) if options.stack == "all" else [options.stack]:
        reports.append(_run(name, history, options))
        print(f"\n{report.as_text(reports[-1])}", flush=True)
    if options.write:
        report.write_pages(about, reports)
    return int(any(result.passed is False for found in reports for result in found.results))


def _run(name: str, history: History, options: argparse.Namespace) -> StackReport:
    logger.info("%s: a database with %s requests ...", name, history.requests)
    with SITES[name](history) as site:
        facts = site.facts()
        logger.info("%s: looking ...", name)
        visitor = Visitor(site.url, site.password)
        results = asyncio.run(speed.measure(site)) + answers.measure(visitor, facts, rounds=options.rounds)
        visitor.close()
        results += browser.measure(site.url, site.password, facts, site.environment)
        setup = (
            f"{facts['requests']:,} requests, {facts['events']:,} events in one workspace; one web process, one worker."
        )
        return StackReport(name=name, setup=setup, results=results, profile={})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui", description=__doc__)
    parser.add_argument("--stack", choices=[*SITES, "all"], default="all")
    parser.add_argument("--requests", type=int, default=100_000, help="how many the database holds; 500 to try it out")
    parser.add_argument("--rounds", type=int, default=40, help="looks at each page")
    parser.add_argument("--cache", type=Path, help="directory in which seeded databases are kept for the next run")
    parser.add_argument("--write", action="store_true", help="rewrite the section on pages in docs/benchmarks.md")
    return parser


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
