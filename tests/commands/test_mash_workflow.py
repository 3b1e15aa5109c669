"""mash_workflow: workflows and their runs from a shell."""

import json
import threading
from collections.abc import Callable

import pytest

from tests.commands.conftest import Said
from tests.conftest import Driver
from tests.workflows.conftest import Define, define
from tests.workflows.test_runs import step
from workspaces.models import Workspace

Run = Callable[..., Said]
__all__ = ["define"]


@pytest.fixture
def command(run: Run, workspace: Workspace) -> Run:
    return lambda *arguments: run("mash_workflow", *arguments, "--workspace", workspace.slug)


def test_a_run_is_started_told_looked_at_and_ended(
    transactional_db: None, command: Run, define: Define, run_requests: Driver
) -> None:
    define({"id": "wait", "kind": "wait", "signal": "go"})
    assert "wf" in command("list").out
    run_id = command("run", "wf", "--input", '{"n": 1}').out.strip()
    run_requests()
    assert json.loads(command("status", "wf", run_id, "--steps").out)["steps"][0]["status"] == "running"
    assert command("signal", "wf", run_id, "go", "--input", "7").code == 0
    run_requests()
    shown = json.loads(command("status", "wf", run_id).out)
    assert (shown["status"], shown["input"], shown["output"]["output"]) == ("completed", {"n": 1}, 7)
    assert run_id in command("runs", "wf").out
    assert command("signal", "wf", run_id, "go").code == 1


def test_a_run_that_is_waited_for_tells_its_end_by_the_exit_code(
    transactional_db: None, command: Run, define: Define, run_requests: Driver
) -> None:
    define({"id": "wait", "kind": "wait", "seconds": 0})
    worker = threading.Timer(1.0, run_requests)
    worker.start()
    assert command("run", "wf", "--wait").code == 0
    worker.join()
    define(step("only", "no_such_function"))
    worker = threading.Timer(1.0, run_requests)
    worker.start()
    failed = command("run", "wf", "--wait")
    worker.join()
    assert failed.code == 1
    assert "no_such_function" in failed.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["run"], 2), (["run", "nothing"], 1), (["run", "wf", "--input", "{"], 2), (["status", "wf", "nothing"], 1)],
)
def test_what_cannot_be_done_is_said(command: Run, define: Define, arguments: list[str], code: int) -> None:
    define({"id": "wait", "kind": "wait", "seconds": 0})
    said = command(*arguments)
    assert (said.code, bool(said.err)) == (code, True)
