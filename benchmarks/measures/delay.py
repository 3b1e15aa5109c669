"""How long an event takes from its commit to the frame that shows it.

On PostgreSQL the start is the commit's own time (`pg_xact_commit_timestamp`, taken just before the WAL is flushed), for
every traced event that happened while the stream was open. On SQLite it is the event's `created_at`, of those kinds
only that are written as soon as they are made; this includes the transaction itself. The end is when the load generator has read
the frame: flush, news, the page query, the socket and the generator's own loop are all included. One machine, one clock.
"""

import asyncio
from datetime import datetime

from benchmarks import load
from benchmarks.load import Turn
from benchmarks.measures.postgresql import query
from benchmarks.results import Result, percentile
from benchmarks.stack import Stack
from benchmarks.wire import Frame

_CLIENTS = 4
_TURNS = 20
# The stream is open long before the model answers.
_MESSAGE = "tools=1 say=done latency=0.2"
_OPENING_S = 0.1
_WRITTEN_AT_ONCE = frozenset({"runtime.llm.think.started", "agent.run.complete"})
_COMMITTED = "SELECT id, pg_xact_commit_timestamp(xmin) FROM runtime_runtimeevent WHERE id = ANY(%s)"


async def measure(stack: Stack) -> list[Result]:
    runs = await asyncio.gather(*(load.run_turns(stack, _TURNS, _MESSAGE) for _ in range(_CLIENTS)))
    frames = [frame for run in runs for turn in run for frame in _late_frames(turn)]
    is_exact = stack.database is not None
    delays = _since_commit(stack, frames) if is_exact else _since_creation(frames)
    budget_ms = 20 if is_exact else 100
    p95 = 1000 * percentile(delays, 0.95)
    start = "commit time" if is_exact else "created_at, so with the transaction"
    return [
        Result(
            name="event committed to frame read, p50 / p95",
            budget=f"p95 <= {budget_ms} ms",
            value=f"{1000 * percentile(delays, 0.5):.1f} / {p95:.1f} ms",
            passed=p95 <= budget_ms,
            note=f"{len(delays)} events, from {start}; {_CLIENTS} clients",
        )
    ]


def _late_frames(turn: Turn) -> list[Frame]:
    """Traced events that came while the stream had been open for a while."""
    traced = [frame for frame in turn.frames if frame.name == "agent.trace"]
    return [frame for frame in traced if frame.received_at > turn.opened_at + _OPENING_S]


def _since_commit(stack: Stack, frames: list[Frame]) -> list[float]:
    seen = {frame.data["event_id"]: frame.received_at for frame in frames}
    committed: list[tuple[int, datetime]] = [(row[0], row[1]) for row in query(stack, _COMMITTED, [list(seen)])]
    return [seen[event_id] - at.timestamp() for event_id, at in committed]


def _since_creation(frames: list[Frame]) -> list[float]:
    pairs = [(frame.received_at, frame.data) for frame in frames]
    return [received_at - data["created_at"] for received_at, data in pairs if data["event_type"] in _WRITTEN_AT_ONCE]
