"""Reads a deployment's tables with plain SQL, so that the product cannot vouch for itself."""

import json
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg
from typing_extensions import override

_REQUESTS = """SELECT r.id, r.request_id, r.session_id, r.message, r.status, r.reason, r.last_sequence, r.attempt,
    r.lease_owner, r.run, r.trace_id, r.lost_leases, r.error FROM runtime_agentrequest r ORDER BY r.id"""
_EVENTS = """SELECT e.id, e.agent_request_id, e.sequence, e.event_type, e.loop_index, e.payload
    FROM runtime_runtimeevent e ORDER BY e.agent_request_id, e.sequence"""


@dataclass(frozen=True, slots=True)
class RequestRow:
    pk: int
    request_id: str
    session_id: str
    message: str
    status: str
    reason: str
    last_sequence: int
    attempt: int
    lease_owner: str
    run: int
    trace_id: str
    lost_leases: int
    error: dict[str, Any] | None

    @property
    def key(self) -> str:
        words = dict(word.split("=", 1) for word in self.message.split() if "=" in word)
        return words.get("key", "")

    @property
    def owner_pid(self) -> int:
        """The worker process that holds the request; 0 if nobody does."""
        return int(self.lease_owner.split(":")[-2]) if self.lease_owner else 0


@dataclass(frozen=True, slots=True)
class EventRow:
    pk: int
    request_pk: int
    sequence: int
    event_type: str
    loop_index: int | None
    payload: dict[str, Any]


class Log:
    """One connection; use it as a context manager."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        raise NotImplementedError

    def rows(self, statement: str) -> Sequence[Sequence[Any]]:
        raise NotImplementedError

    def requests(self) -> list[RequestRow]:
        return [
            RequestRow(*[pk, _id(request_id), *about, _id(trace_id) if trace_id else "", lost_leases, _json(error)])
            for pk, request_id, *about, trace_id, lost_leases, error in self.rows(_REQUESTS)
        ]

    def request(self, request_id: str) -> RequestRow:
        return next(row for row in self.requests() if row.request_id == request_id)

    def unfinished(self) -> list[RequestRow]:
        return [row for row in self.requests() if row.status not in {"completed", "failed", "cancelled"}]

    def events(self) -> list[EventRow]:
        return [EventRow(*[*columns, _json(payload)]) for *columns, payload in self.rows(_EVENTS)]

    def events_of(self, request_id: str) -> list[EventRow]:
        pk = self.request(request_id).pk
        return [event for event in self.events() if event.request_pk == pk]


class SqliteLog(Log):
    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)

    @override
    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @override
    def rows(self, statement: str) -> Sequence[Sequence[Any]]:
        return self._connection.execute(statement).fetchall()


class PostgresLog(Log):
    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, connect_timeout=5)

    @override
    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @override
    def rows(self, statement: str) -> Sequence[Sequence[Any]]:
        # The statements are the constants of this file.
        return self._connection.execute(statement.encode()).fetchall()


def _id(value: Any) -> str:
    return str(value if isinstance(value, uuid.UUID) else uuid.UUID(str(value)))


def _json(value: Any) -> Any:
    """SQLite keeps JSON as text."""
    return json.loads(value) if isinstance(value, str) else value
