"""How often each call asks the database, kept as data and the same for one row as for twenty.

`RECORD_QUERY_COUNTS=1 python -m tests.run -n 0 tests/house/test_queries.py` writes `query_counts.json` anew.
"""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import override_settings
from typing_extensions import override

from agents.models import Agent
from runtime import events
from runtime.events import NewEvent
from runtime.kinds import EventKind
from tests.factories import AgentFactory, AgentRequestFactory, SessionFactory, TurnFactory
from tests.web import Web
from workspaces.models import Workspace

RECORD = Path(__file__).with_name("query_counts.json")
FRAMES_OF_A_TRANSACTION = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


class QueryLog(logging.Handler):
    """The statements of all threads, those that only frame a transaction left out."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.statements: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        statement = getattr(record, "sql", None) or ""
        if statement and not statement.startswith(FRAMES_OF_A_TRANSACTION):
            self.statements.append(statement)


def statements_of(act: Callable[[], object]) -> list[str]:
    log, logger = QueryLog(), logging.getLogger("django.db.backends")
    level, handlers = logger.level, logger.propagate
    logger.addHandler(log)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        with override_settings(DEBUG=True):
            act()
    finally:
        logger.removeHandler(log)
        logger.setLevel(level)
        logger.propagate = handlers
    return log.statements


def furnish(workspace: Workspace, agent: Agent, count: int) -> None:
    for n in range(count):
        session = SessionFactory.create(workspace=workspace, agent_id=agent.agent_id, session_id=f"{count}-{n}")
        TurnFactory.create(workspace=workspace, session=session)
        AgentRequestFactory.create(workspace=workspace, agent=agent)
        AgentFactory.create(workspace=workspace)
    talk = workspace.sessions.filter(session_id="talk").first() or SessionFactory.create(
        workspace=workspace, agent_id=agent.agent_id, session_id="talk"
    )
    TurnFactory.create_batch(count, workspace=workspace, session=talk)
    row = workspace.agent_requests.filter(session_id="stream").first() or AgentRequestFactory.create(
        workspace=workspace, agent=agent, session_id="stream"
    )
    events.append(row, [NewEvent(event_type=EventKind.CONTEXT_LOADED)] * count)


def calls(web: Web, workspace: Workspace, agent: Agent) -> dict[str, Callable[[], object]]:
    base = f"/api/v1/agent/{agent.agent_id}"
    body = {"message": "hello", "session_id": "fresh"}
    row = workspace.agent_requests.get(session_id="stream")
    events_path = f"{base}/request/{row.request_id}/events"
    return {
        "accept": lambda: web.post(f"{base}/request", body),
        "accept with a key": lambda: web.post(
            f"{base}/request", body, headers={"Idempotency-Key": os.urandom(4).hex()}
        ),
        "stream of one page": lambda: web.first_frames(events_path, row.last_sequence),
        "health": lambda: web.get("/api/v1/health"),
        "agents": lambda: web.get("/api/v1/agent"),
        "agent": lambda: web.get(base),
        "request": lambda: web.get(f"{base}/request/{row.request_id}"),
        "requests": lambda: web.get(f"{base}/requests"),
        "sessions": lambda: web.get(f"{base}/sessions"),
        "session": lambda: web.get(f"{base}/sessions/talk"),
        "events": lambda: web.get(f"/api/v1/telemetry/events?agent_id={agent.agent_id}"),
        "traces": lambda: web.get(f"/api/v1/telemetry/traces?agent_id={agent.agent_id}"),
        "usage": lambda: web.get("/api/v1/telemetry/usage?group_by=model"),
        "history": lambda: web.get(f"{base}/sessions/talk/history"),
    }


@pytest.fixture
def measured(web: Web, workspace: Workspace) -> dict[str, list[list[str]]]:
    """The statements of each call, with one row of everything and with twenty more."""
    agent = AgentFactory.create(workspace=workspace)
    web.get("/api/v1/health")  # the token's first use is noted once a minute
    found: dict[str, list[list[str]]] = {}
    for count in (1, 20):
        furnish(workspace, agent, count)
        for name, act in calls(web, workspace, agent).items():
            found.setdefault(name, []).append(statements_of(act))
    return found


def test_queries_are_as_recorded_and_do_not_grow_with_the_rows(measured: dict[str, list[list[str]]]) -> None:
    grown = {name: [len(few), len(many)] for name, (few, many) in measured.items() if len(few) != len(many)}
    assert not grown
    recorded = json.loads(RECORD.read_text())
    counts = {name: len(few) for name, (few, _) in measured.items()}
    if os.environ.get("RECORD_QUERY_COUNTS"):
        RECORD.write_text(json.dumps(recorded | {connection.vendor: counts}, indent=2, sort_keys=True) + "\n")
        return
    changed = {name: measured[name][0] for name, count in counts.items() if recorded[connection.vendor][name] != count}
    assert not changed
