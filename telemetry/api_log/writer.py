"""Writes what was noted of API calls: one thread per web process, in batches, and never in anybody's way."""

import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import IntegrityError, close_old_connections, transaction
from django.urls import Resolver404, resolve
from django.utils import timezone

from telemetry.api_log import redact
from telemetry.models import ApiEvent
from workspaces.models import Workspace

logger = logging.getLogger(__name__)

_EVERY_S = 0.5
_MOST_WAITING = 10_000
_BATCH = 500
_PRUNE_EVERY_S = 600.0
_PRUNED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One call as it passed by; bodies are None where their capture is switched off."""

    workspace_pk: int
    principal: str
    method: str
    path: str
    query: bytes
    status: int
    duration_s: float
    request_headers: list[tuple[bytes, bytes]]
    response_headers: list[tuple[bytes, bytes]]
    request_body: bytes | None
    request_size: int
    response_body: bytes | None
    response_size: int
    client_host: str
    failure: str
    at: datetime


class Writer:
    def __init__(self) -> None:
        self._waiting: deque[Record] = deque(maxlen=_MOST_WAITING)
        self._lock = threading.Lock()
        self._forgotten = 0
        self._pruned_at = time.monotonic()

    def add(self, record: Record) -> None:
        """Takes the record; when too many wait, the oldest is forgotten."""
        self._forgotten += len(self._waiting) == _MOST_WAITING
        self._waiting.append(record)

    def flush(self) -> None:
        """Writes everything that waits."""
        if self._forgotten:
            logger.warning("%s calls are missing in the API log", self._forgotten, extra={"action": "api_log.overflow"})
            self._forgotten = 0
        with self._lock:
            while batch := list(self._take()):
                _write([row_of(record) for record in batch])

    def _take(self) -> Iterator[Record]:
        for _ in range(_BATCH):
            if not self._waiting:
                return
            yield self._waiting.popleft()

    def start(self) -> None:
        """Begins to write, now and then, and once more when the process ends."""
        threading.Thread(target=self._run, name="api-log", daemon=True).start()
        atexit.register(self._try_flush)

    def _run(self) -> None:
        while True:
            time.sleep(_EVERY_S)
            self._try_flush()
            if time.monotonic() - self._pruned_at >= _PRUNE_EVERY_S:
                self._try_prune()

    def _try_flush(self) -> None:
        if not self._waiting:
            return
        try:
            self.flush()
        except Exception:  # the log is best effort: a database that is away must not end the thread
            logger.warning("Calls of the API could not be logged", exc_info=True, extra={"action": "api_log.failed"})
        finally:
            close_old_connections()

    def _try_prune(self) -> None:
        try:
            if prune() == 0:
                self._pruned_at = time.monotonic()
        except Exception:  # as above
            logger.warning("The API log could not be pruned", exc_info=True, extra={"action": "api_log.failed"})
            self._pruned_at = time.monotonic()
        finally:
            close_old_connections()


def _write(rows: list[ApiEvent]) -> None:
    """All at once; where one cannot be written, as its workspace has gone, the others still are."""
    try:
        with transaction.atomic():
            ApiEvent.rows.bulk_create(rows)
    except IntegrityError:
        there = set(Workspace.objects.filter(pk__in={row.workspace_id for row in rows}).values_list("pk", flat=True))
        ApiEvent.rows.bulk_create([row for row in rows if row.workspace_id in there])


def prune() -> int:
    """Deletes some of what is older than its workspace keeps it; how many rows went."""
    gone = 0
    for workspace in Workspace.objects.only("pk", "api_log_days"):
        before = timezone.now() - timedelta(days=workspace.api_log_days)
        old = workspace.api_events.filter(created_at__lt=before).order_by("created_at")
        keys = list(old.values_list("pk", flat=True)[:_PRUNED_AT_ONCE])
        gone += workspace.api_events.filter(pk__in=keys).delete()[0] if keys else 0
    return gone


def row_of(record: Record) -> ApiEvent:
    raw, parsed = redact.parameters(record.query)
    route, arguments = _route(record.path)
    response_type = _header(record.response_headers, b"content-type")
    is_stream = response_type.startswith("text/event-stream")
    answered = redact.body(record.response_body, record.response_size, response_type, is_stream=is_stream)
    if record.failure:
        answered["error"] = record.failure
    return ApiEvent(
        workspace_id=record.workspace_pk,
        method=record.method[:10],
        path=record.path[:1000].replace("\x00", "\ufffd"),
        route=route[:300],
        query_params={"raw": raw, "parsed": parsed, "route": route, "path_params": arguments},
        status_code=record.status,
        duration_ms=round(record.duration_s * 1000),
        request_headers=redact.headers(record.request_headers),
        response_headers=redact.headers(record.response_headers),
        request_body=redact.body(
            record.request_body, record.request_size, _header(record.request_headers, b"content-type")
        ),
        response_body=answered,
        client_host=record.client_host[:100],
        principal=record.principal[:200],
        created_at=record.at,
    )


_STREAM = "/events"


@lru_cache(maxsize=1000)
def _route(path: str) -> tuple[str, dict[str, str]]:
    """The route as the contract writes it, and its arguments; a path that leads nowhere is its own route.

    Streams are no routes of Django's, but what they stream is.
    """
    what = path.removesuffix(_STREAM)
    try:
        match = resolve(what)
    except Resolver404:
        return path, {}
    arguments = {name: str(value) for name, value in match.kwargs.items()}
    route = "/" + match.route + path[len(what) :]
    for name in arguments:
        for kind in ("str", "uuid", "path", "int", "slug"):
            route = route.replace(f"<{kind}:{name}>", f"{{{name}}}")
    return route, arguments


def _header(headers: list[tuple[bytes, bytes]], name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), "")


writer = Writer()
