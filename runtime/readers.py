"""Database reads for streams: each in a thread of a small pool, its connection released before anybody waits."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections

from runtime.models import AgentRequest, RuntimeEvent
from workspaces.errors import MashError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class DatabaseAway(MashError):
    code = "RUNTIME_NOT_READY"
    status = 503
    retryable = True


_readers = ThreadPoolExecutor(4, thread_name_prefix="stream-reader")


async def in_reader(read: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """Runs `read` in a reader thread; `DatabaseAway` when the database cannot be asked."""
    try:
        return await asyncio.get_running_loop().run_in_executor(_readers, lambda: _released(read, *args, **kwargs))
    except (InterfaceError, OperationalError) as error:
        raise DatabaseAway("The database cannot be reached right now; try again.") from error


def _released(read: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    try:
        return read(*args, **kwargs)
    finally:
        close_old_connections()


def heads_of(request_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The last sequence of each of these requests. Only numbers leave here; who may watch was asked before."""
    rows = AgentRequest.rows.filter(request_id__in=request_ids).values_list("request_id", "last_sequence")
    return dict(rows)


def newest_event_id() -> int:
    """The largest event id of the deployment, to see whether anything happened at all."""
    return RuntimeEvent.rows.order_by("-id").values_list("id", flat=True).first() or 0
