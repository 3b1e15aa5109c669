"""What one echo turn asks of PostgreSQL.

All transactions are the growth of `xact_commit` in `pg_stat_database`. Sessions report it with a delay of up to ten
seconds, so every reading is taken eleven seconds after the work. Write transactions are the commits that have a
transaction id: ids come from `pg_snapshot_xmax(pg_current_snapshot())`, which draws none itself, and as savepoints that
write draw ids of their own but share the commit time of their transaction, distinct commit times are counted
(`track_commit_timestamp`). What the idle stack does in the meantime (sweepers, leases, django-q2) is measured first
and taken off.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from benchmarks import load
from benchmarks.measures.postgresql import query
from benchmarks.results import Result
from benchmarks.stack import Stack

Done = TypeVar("Done")
_TURNS = 300
_SETTLE_S = 11.0
_COUNTS = """SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()),
                    pg_snapshot_xmax(pg_current_snapshot())::text::bigint"""
_WRITES = """SELECT count(DISTINCT pg_xact_commit_timestamp(id::text::xid)) FROM generate_series(%s::bigint, %s::bigint) id
             WHERE pg_xact_commit_timestamp(id::text::xid) IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class _Reading:
    at: float
    commits: int
    next_id: int


@dataclass(frozen=True, slots=True)
class Counted(Generic[Done]):
    """What some work asked for, less what the idle stack does in the same time."""

    done: Done
    writes: float
    commits: float
    ids: int
    idle_rate: float
    """All commits per second of the idle stack."""


async def measure(stack: Stack) -> list[Result]:
    if stack.database is None:
        return [Result(name="transactions per echo turn", budget="-", value="not counted by SQLite", passed=None)]
    await load.run_turns(stack, 10, load.ECHO)
    counted = await count(stack, lambda: load.run_turns(stack, _TURNS, load.ECHO))
    ids = f"{counted.ids / _TURNS:.1f} ids with savepoints"
    idle = f"{counted.idle_rate:.1f} /s while idle, taken off"
    return [
        _judge("write transactions per echo turn", counted.writes / _TURNS, 5, ids),
        _judge("all `xact_commit` per echo turn", counted.commits / _TURNS, 14, idle),
    ]


async def count(stack: Stack, work: Callable[[], Awaitable[Done]]) -> Counted[Done]:
    """Of a stack that is idle but for this work."""
    before = await _read(stack)
    idle = await _read(stack)
    done = await work()
    after = await _read(stack)
    seconds = (after.at - idle.at) / (idle.at - before.at)
    idle_commits = idle.commits - before.commits
    return Counted(
        done=done,
        writes=_writes(stack, idle, after) - _writes(stack, before, idle) * seconds,
        commits=after.commits - idle.commits - idle_commits * seconds,
        ids=after.next_id - idle.next_id,
        idle_rate=idle_commits / (idle.at - before.at),
    )


async def _read(stack: Stack) -> _Reading:
    await asyncio.sleep(_SETTLE_S)
    [(commits, next_id)] = query(stack, _COUNTS)
    return _Reading(time.monotonic(), commits, next_id)


def _writes(stack: Stack, first: _Reading, last: _Reading) -> int:
    [(count,)] = query(stack, _WRITES, [first.next_id, last.next_id - 1])
    return int(count)


def _judge(name: str, value: float, budget: int, note: str) -> Result:
    return Result(name=name, budget=f"<= {budget}", value=f"{value:.1f}", passed=round(value, 1) <= budget, note=note)
