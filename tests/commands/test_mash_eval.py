"""mash_eval: a dataset in, an experiment, and a gate by its exit code."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.models import Agent
from tests.commands.conftest import Said
from tests.conftest import Driver
from workspaces.models import Workspace

Run = Callable[..., Said]


@pytest.fixture
def command(run: Run, workspace: Workspace) -> Run:
    return lambda *arguments: run("mash_eval", *arguments, "--workspace", workspace.slug)


def test_a_gate_holds_or_does_not(
    transactional_db: None, command: Run, agent: Agent, run_requests: Driver, tmp_path: Path
) -> None:
    rows = [
        {"message": f"say={city}", "expected": expected} for city, expected in (("Lyon", "Lyon"), ("Porto", "Graz"))
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    assert command("import", "orders", str(file)).code == 0
    assert [json.loads(line) for line in command("export", "orders").out.splitlines()] == rows
    codes = []
    for name, gate in (("first", "pass_rate>=0.5"), ("second", "pass_rate>=0.9")):
        worker = threading.Timer(1.0, run_requests)
        worker.start()
        said = command(
            "run",
            "orders",
            "--agent",
            agent.agent_id,
            "--check",
            '{"kind": "exact"}',
            "--gate",
            gate,
            "--experiment",
            name,
        )
        worker.join()
        codes.append(said.code)
        assert json.loads(said.out)["pass_rate"] == 0.5
    assert codes == [0, 1]
    assert "0 questions are worse" in command("compare", "first", "second").out
    assert "orders" in command("list").out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run"], 2),
        (["run", "nothing", "--agent", "x"], 1),
        (["import", "orders"], 2),
        (["import", "orders", "/does/not/exist"], 1),
        (["run", "orders", "--gate", "nice"], 2),
        (["show", "nothing"], 1),
    ],
)
def test_what_cannot_be_done_is_said(db: None, command: Run, arguments: list[str], code: int) -> None:
    said = command(*arguments)
    assert (said.code, bool(said.err)) == (code, True)
