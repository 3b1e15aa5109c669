"""With memory in a database of its own, the turn is stored before the request ends; a crash may come between them."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, connections

from agents.memory.models import Turn
from agents.memory.place import is_apart, memory_database
from benchmarks.model_server import ModelServer
from runtime.cancel import cancel_request
from runtime.kinds import Reason
from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from workspaces.models import Workspace

ROOT = Path(__file__).resolve().parent.parent.parent
_REFUSE = {
    "sqlite": [
        """CREATE TRIGGER refuse BEFORE INSERT ON runtime_runtimeevent
           WHEN new.event_type = 'runtime.request.completed' BEGIN SELECT json('{'); END"""
    ],
    "postgresql": [
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
           AS $$ BEGIN RAISE EXCEPTION 'away' USING ERRCODE = '57P03'; END $$""",
        """CREATE TRIGGER refuse BEFORE INSERT ON runtime_runtimeevent FOR EACH ROW
           WHEN (new.event_type = 'runtime.request.completed') EXECUTE FUNCTION refuse()""",
    ],
}
_ACCEPT = {"sqlite": "DROP TRIGGER refuse", "postgresql": "DROP FUNCTION refuse() CASCADE"}
_WORKER = """
import json, os, sys
from django.conf import settings
for alias, name in json.loads(sys.argv[1]).items():
    settings.DATABASES[alias]["NAME"] = name
import django
django.setup()
from agents.stop_signal import StopSignal
from runtime import lease
from runtime.claim import claim
from runtime.execute import execute_request
execute_request(claim(int(sys.argv[2]), lease.new_owner()), should_stop=lambda: False, stop=StopSignal())
"""


@contextmanager
def runtime_refuses_to_end() -> Iterator[None]:
    """The runtime's database takes everything but the end of a request."""
    with connection.cursor() as cursor:
        for statement in _REFUSE[connection.vendor]:
            cursor.execute(statement)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(_ACCEPT[connection.vendor])


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def accepted(transactional_db: None, workspace: Workspace, make_agent: AgentMaker) -> AgentRequest:
    # The tools of tests are not offered in other processes.
    agent = make_agent(tools=[])
    return AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", message="say=once")


def test_memory_is_elsewhere(accepted: AgentRequest) -> None:
    assert is_apart()
    assert memory_database() == "memory"
    assert Turn._meta.db_table not in connection.introspection.table_names()
    assert AgentRequest._meta.db_table not in connections["memory"].introspection.table_names()


def test_a_worker_that_dies_between_them_leaves_one_turn(
    workspace: Workspace, accepted: AgentRequest, run_requests: Driver, model: ModelServer
) -> None:
    names = json.dumps({alias: str(connections[alias].settings_dict["NAME"]) for alias in connections})
    with runtime_refuses_to_end():
        worker = subprocess.Popen([sys.executable, "-c", _WORKER, names, str(accepted.pk)], cwd=ROOT)
        try:
            wait_for(lambda: workspace.turns.exists())
        finally:
            worker.kill()
            worker.wait()
    accepted.refresh_from_db()
    assert accepted.status == "running"
    [again] = run_requests()
    assert (again.status, again.attempt) == ("completed", 2)
    turn = workspace.turns.get()
    assert (turn.turn_id, turn.agent_response) == (again.trace_id, "once")
    assert workspace.sessions.get().turn_count == 1
    assert again.events.filter(event_type="runtime.request.completed").count() == 1
    assert len(model.requests()) == 1, "What the model said was in the log before the turn was stored."


def run_aside(run: Driver) -> threading.Thread:
    def work() -> None:
        try:
            run()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_runtime_that_comes_back_gets_its_end(
    workspace: Workspace, accepted: AgentRequest, run_requests: Driver
) -> None:
    with runtime_refuses_to_end():
        thread = run_aside(run_requests)
        wait_for(lambda: workspace.turns.exists())
    thread.join()
    accepted.refresh_from_db()
    assert (accepted.status, workspace.turns.count()) == ("completed", 1)


def test_a_cancel_between_them_takes_the_turn_back(
    workspace: Workspace, accepted: AgentRequest, run_requests: Driver
) -> None:
    with runtime_refuses_to_end():
        thread = run_aside(run_requests)
        wait_for(lambda: workspace.turns.exists())
        cancel_request(accepted, reason=Reason.CANCELLED, by="tests")
    thread.join()
    accepted.refresh_from_db()
    assert (accepted.status, workspace.turns.count(), workspace.sessions.count()) == ("cancelled", 0, 0)
