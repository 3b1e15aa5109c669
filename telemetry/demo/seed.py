"""Fills a workspace with a believable history, for trying, measuring and showing."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db import transaction

from telemetry.demo.cast import assemble
from telemetry.demo.live import tell_live
from telemetry.demo.memory import Memory
from telemetry.demo.plan import plan_stories
from telemetry.demo.stories import tell
from telemetry.demo.take import Prices, Stage
from telemetry.demo.write import Writer, Written
from workspaces.models import Workspace

_FLUSH_AT = 10_000
LONG_SPANS = (500, 500, 500, 2000)
_MOST_LIVE = 12
"""Requests that go on, of which none are told in a very small history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What history somebody wants."""

    requests: int
    days: int
    seed: int
    now: datetime
    long_spans: Sequence[int] = LONG_SPANS


def seed_demo(workspace: Workspace, wish: Wish, *, progress: Callable[[Written], None]) -> Written:
    """Writes it; the same wish gives the same history, apart from ids where the workspace has one already."""
    since = wish.now - timedelta(days=wish.days)
    # Ids must be new although the seed is not.
    seed = f"{wish.seed}:{workspace.slug}:{workspace.agent_requests.count()}"
    with transaction.atomic():
        cast = assemble(workspace, since=since, now=wish.now)
    stage = Stage(cast, Memory(workspace), Prices(cast.price_changed_at), wish.now)
    live = list(tell_live(stage, seed=seed)) if wish.requests > 2 * _MOST_LIVE else []
    told = wish.requests - sum(len(list(take.family())) for take in live)
    stories = plan_stories(Random(seed), count=told, since=since, now=wish.now, long_spans=wish.long_spans)  # noqa: S311
    writer = Writer(stage.memory)
    with _no_garbage_collection():
        for take, until, over in tell(stage, stories, seed=seed):
            writer.add(take)
            stage.memory.forget(over)
            if writer.waiting >= _FLUSH_AT:
                writer.flush(until)
                progress(writer.written)
    for take in live:
        writer.add(take)
    writer.flush()
    progress(writer.written)
    return writer.written


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """It would look through all that waits to be written, over and over, and find nothing: a quarter of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
