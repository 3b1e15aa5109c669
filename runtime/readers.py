"""Database work of streams and sockets: each in a thread of a small pool, its connection released before anybody waits."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections
from django.db.models.functions import Length

from runtime.models import AgentRequest

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

logger = logging.getLogger(__name__)

DATABASE_ERRORS = (OperationalError, InterfaceError)
_PATIENCE = 10
_PAUSE_S = 1.0
_readers = ThreadPoolExecutor(4, thread_name_prefix="stream-reader")
_writers = ThreadPoolExecutor(4, thread_name_prefix="socket-writer")


async def in_reader(read: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """Runs `read` in a reader thread."""
    return await asyncio.get_running_loop().run_in_executor(_readers, lambda: _released(read, *args, **kwargs))


async def in_writer(write: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """Runs what a socket was told to do in a thread of another pool, so that streams need not wait for its locks."""
    return await asyncio.get_running_loop().run_in_executor(_writers, lambda: _released(write, *args, **kwargs))


def _released(read: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    try:
        return read(*args, **kwargs)
    finally:
        close_old_connections()


async def in_patient_reader(
    read: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """The same, for a stream that is open: a database that is away for a moment does not end it."""
    for _ in range(_PATIENCE):
        try:
            return await in_reader(read, *args, **kwargs)
        except DATABASE_ERRORS as error:
            logger.warning("A stream waits for the database: %s", error, extra={"action": "stream.waits"})
            await asyncio.sleep(_PAUSE_S)
    return await in_reader(read, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a request's log reaches, and how much of a text its draft holds."""

    head: int
    draft_head: int
    draft_length: int


def marks_of(request_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Mark]:
    """Where each of these requests stands. Only numbers leave here; who may watch was asked before."""
    rows = AgentRequest.rows.filter(request_id__in=request_ids).values_list(
        "request_id", "last_sequence", "draft__head", Length("draft__text")
    )
    return {request_id: Mark(head, draft_head or 0, length or 0) for request_id, head, draft_head, length in rows}
