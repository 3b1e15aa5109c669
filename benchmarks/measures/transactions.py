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
from dataclasses import dataclass

from benchmarks import load
from benchmarks.measures.postgresql import query
from benchmarks.results import Result
from benchmarks.stack import Stack

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


async def measure(stack: Stack) -> list[Result]:
    if stack.database is None:
        return [Result(name="transactions per echo turn", budget="-", value="not counted by SQLite", passed=None)]
    await load.run_turns(stack, 10, load.ECHO)
    before = await _read(stack)
    idle = await _read(stack)
    await load.run_turns(stack, _TURNS, load.ECHO)
    after = await _read(stack)
    seconds = (after.at - idle.at) / (idle.at - before.at)
    idle_writes, writes = _writes(stack, before, idle), _writes(stack, idle, after)
    idle_commits, commits = idle.commits - before.commits, after.commits - idle.commits
    writes_per_turn = (writes - idle_writes * seconds) / _TURNS
    commits_per_turn = (commits - idle_commits * seconds) / _TURNS
    ids_per_turn = (after.next_id - idle.next_id) / _TURNS
    rate = idle_commits / (idle.at - before.at)
    return [
        _judge("write transactions per echo turn", writes_per_turn, 5, f"{ids_per_turn:.1f} ids with savepoints"),
        _judge("all `xact_commit` per echo turn", commits_per_turn, 14, f"{rate:.1f} /s while idle, taken off"),
    ]


async def _read(stack: Stack) -> _Reading:
    await asyncio.sleep(_SETTLE_S)
    [(commits, next_id)] = query(stack, _COUNTS)
    return _Reading(time.monotonic(), commits, next_id)


def _writes(stack: Stack, first: _Reading, last: _Reading) -> int:
    [(count,)] = query(stack, _WRITES, [first.next_id, last.next_id - 1])
    return int(count)


def _judge(name: str, value: float, budget: int, note: str) -> Result:
    return Result(name=name, budget=f"<= {budget}", value=f"{value:.1f}", passed=round(value, 1) <= budget, note=note)
