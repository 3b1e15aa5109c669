"""`python -m benchmarks`: runs the product as the README does, and measures it against the budget."""

import argparse
import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

import redis

from benchmarks import profiling, report
from benchmarks.measures import (
    crowd,
    delay,
    idle,
    killed,
    latency,
    postgresql,
    runs,
    search,
    speed,
    storage,
    throughput,
    transactions,
)
from benchmarks.report import StackReport
from benchmarks.results import Result
from benchmarks.stack import STACKS, Stack

logger = logging.getLogger("benchmarks")

MEASURES: dict[str, Callable[[Stack], Awaitable[list[Result]]]] = {
    "speed": speed.measure,
    "latency": latency.measure,
    "throughput": throughput.measure,
    "delay": delay.measure,
    "transactions": transactions.measure,
    "storage": storage.measure,
    "crowd": crowd.measure,
    "idle": idle.measure,
    "killed": killed.measure,
    # Last, for they fill the database.
    "runs": runs.measure,
    "search": search.measure,
}
_MEASURE_WITHIN_S = 900.0


def main() -> int:
    options = _parser().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logger.setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = _chosen(options.only, profile_only=bool(options.profile) and not options.write)
    names = list(STACKS) if options.stack == "all" else [options.stack]
    if options.write and (len(names) < len(STACKS) or len(chosen) < len(MEASURES)):
        raise SystemExit("--write needs every stack and every measure: the document is one run.")
    about = report.machine()
    print("\n".join(about), flush=True)
    reports = []
    for name in names:
        reports.append(_run(name, chosen, options))
        print(f"\n{report.as_text(reports[-1])}", flush=True)
    if options.write:
        report.write_document(about, reports)
    return int(any(result.passed is False for found in reports for result in found.results))


def _run(name: str, chosen: list[str], options: argparse.Namespace) -> StackReport:
    with STACKS[name](processes=options.processes, threads=options.threads) as stack:
        results = [result for measure in chosen for result in _measure(measure, stack)]
        profile = _profile(options.profile, stack) if options.profile else {}
        return StackReport(name=name, setup=_setup(stack, options), results=results, profile=profile)


def _measure(name: str, stack: Stack) -> list[Result]:
    """A measure that breaks is a result too, and the others go on."""
    logger.info("%s: %s ...", stack.name, name)
    try:
        return asyncio.run(_bounded(name, stack))
    except (RuntimeError, OSError, TimeoutError, LookupError, asyncio.IncompleteReadError) as error:
        logger.exception("%s broke", name)
        return [
            Result(name=name, budget="-", value=f"broke: {type(error).__name__}", passed=False, note=str(error)[:200])
        ]


def _profile(kind: str, stack: Stack) -> dict[str, str]:
    """A profile that fails must not cost what has been measured."""
    try:
        return asyncio.run(profiling.profile(stack, kind))
    except (RuntimeError, OSError, TimeoutError) as error:
        logger.exception("The profile broke")
        return {"none": f"broke: {error}"}


async def _bounded(name: str, stack: Stack) -> list[Result]:
    async with asyncio.timeout(_MEASURE_WITHIN_S):
        return await MEASURES[name](stack)


def _setup(stack: Stack, options: argparse.Namespace) -> str:
    workers = f"{options.processes} worker processes x {options.threads} threads, 1 web process"
    if stack.database is None or stack.redis is None:
        return f"`manage.py mash_run` on SQLite, Unix datagrams for the news; {workers}."
    with redis.Redis.from_url(stack.redis.url) as client:
        redis_version = client.info("server")["redis_version"]
    parts = (
        f"PostgreSQL {postgresql.version(stack)} (fsync on, Unix socket, default settings) and Redis {redis_version}"
    )
    return f"`manage.py mash_web` and `manage.py mash_worker` on {parts}; {workers}."


def _chosen(only: str, *, profile_only: bool) -> list[str]:
    if not only:
        return [] if profile_only else list(MEASURES)
    names = [name.strip() for name in only.split(",")]
    if unknown := set(names) - set(MEASURES):
        raise SystemExit(f"No such measure: {', '.join(sorted(unknown))}. There are {', '.join(MEASURES)}.")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--stack", choices=[*STACKS, "all"], default="all")
    parser.add_argument("--only", default="", metavar="NAME,...", help=f"of {', '.join(MEASURES)}")
    parser.add_argument("--processes", type=int, default=2, help="worker processes")
    parser.add_argument("--threads", type=int, default=128, help="threads per worker process")
    parser.add_argument("--profile", choices=["echo", "tools"], help="py-spy on web and a worker under 32 clients")
    parser.add_argument("--write", action="store_true", help="rewrite docs/benchmarks.md")
    return parser


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
