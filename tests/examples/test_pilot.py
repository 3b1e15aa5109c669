"""The pilot host as a newcomer meets it: without any key, so on its offline guide."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from agents import catalogue
from agents.models import Agent
from examples.pilot.notes import notes_folder
from runtime.kinds import EventKind
from runtime.models import AgentRequest
from tests.conftest import Driver
from tests.factories import AgentRequestFactory
from workspaces.models import Workspace

SECRET = "what lies above the room"
START_S = 60


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small code base with the rooms' folders."""
    (tmp_path / "top.txt").write_text(SECRET)
    for room in ("runtime", "agents", "telemetry", "workflows"):
        (tmp_path / room).mkdir()
    (tmp_path / "runtime/claim.py").write_text("def claim():\n    return 'the lease of a request'\n")
    return tmp_path


@pytest.fixture
def pilot(workspace: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch, settings) -> Iterator[Agent]:
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MASH_PILOT_ROOT", str(root))
    settings.MASH_HOST_APP = "examples.pilot.spec:build_host"
    settings.MASH_DATA_DIR = root / "data"
    catalogue.load_host.cache_clear()
    catalogue.sync_code_agents([workspace])
    yield workspace.agents.get(agent_id="pilot")
    catalogue.load_host.cache_clear()


def turn(pilot: Agent, message: str, run_requests: Driver) -> AgentRequest:
    sent = AgentRequestFactory.create(workspace=pilot.workspace, agent=pilot, session_id="s", message=message)
    run_requests()
    sent.refresh_from_db()
    return sent


def answer(agent_request: AgentRequest) -> str:
    assert agent_request.trace_id
    return agent_request.workspace.turns.get(turn_id=agent_request.trace_id).agent_response


def test_the_host_has_a_pilot_and_a_copilot_for_each_room(pilot: Agent, workspace: Workspace) -> None:
    roles = dict(workspace.agents.values_list("agent_id", "role"))
    assert roles.pop("pilot") == "primary"
    assert roles == dict.fromkeys(
        ("runtime-copilot", "agents-copilot", "telemetry-copilot", "workflows-copilot"), "subagent"
    )
    assert (pilot.definition.provider, pilot.definition.model) == ("offline", "offline-guide")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("where the lease of a request is", "1\tdef claim():"),
        ("to read claim.py", "the lease of a request"),
        ("to read ../top.txt", "names that begin with a dot"),
        ("to read /etc/passwd", "give a path relative to the root"),
    ],
)
def test_the_copilot_reads_its_room_and_nothing_above(
    pilot: Agent, run_requests: Driver, words: str, told: str
) -> None:
    sent = turn(pilot, f"Ask the runtime copilot {words}", run_requests)
    child = sent.children.get()
    assert (sent.status, child.status, child.agent.agent_id) == ("completed", "completed", "runtime-copilot")
    assert told in answer(child)
    assert told in answer(sent)
    assert "no model is configured" in answer(sent)
    assert SECRET not in answer(sent)


def test_a_note_is_written_once_a_person_approves(
    pilot: Agent, run_requests: Driver, api_client: APIClient, workspace: Workspace
) -> None:
    sent = turn(pilot, "Ask the runtime copilot about the lease and note ../../it", run_requests)
    assert (sent.status, sent.pause_reason) == ("paused", "interaction")
    assert not notes_folder(workspace.slug).exists()
    [asked] = sent.interactions.all()
    path = f"/api/v1/agent/pilot/request/{sent.request_id}/interaction"
    given = {"interaction_id": asked.interaction_id, "response": "approve"}
    assert api_client.post(path, given, format="json").status_code == 200
    run_requests()
    sent.refresh_from_db()
    assert sent.status == "completed"
    [note] = notes_folder(workspace.slug).iterdir()
    assert note.name == "ask-the-runtime-copilot-about-the-lease-and-note-it.md"
    assert "the lease of a request" in note.read_text()


def test_the_pilot_asks_the_person_which_copilot(pilot: Agent, run_requests: Driver, api_client: APIClient) -> None:
    sent = turn(pilot, "Ask me who knows the lease", run_requests)
    assert sent.status == "paused"
    path = f"/api/v1/agent/pilot/request/{sent.request_id}/interaction"
    given = {"interaction_id": sent.interactions.get().interaction_id, "response": ["runtime-copilot"]}
    assert api_client.post(path, given, format="json").status_code == 200
    run_requests()
    assert sent.children.get().agent.agent_id == "runtime-copilot"


def test_a_greeting_is_answered_with_what_can_be_asked(pilot: Agent, run_requests: Driver) -> None:
    sent = turn(pilot, "hello", run_requests)
    assert "no model is configured" in answer(sent)
    assert "'ask the agents copilot ...'" in answer(sent)


def test_a_file_of_the_data_directory_cannot_be_read(pilot: Agent, run_requests: Driver, root: Path) -> None:
    (root / "data").mkdir()
    (root / "data/key.txt").write_text("precious")
    sent = turn(pilot, "Please read data/key.txt", run_requests)
    assert sent.events.filter(event_type=EventKind.TOOL_COMPLETED).exists()
    assert "precious" not in answer(sent)


@pytest.mark.processes
def test_the_module_starts_everything(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    data = tmp_path_factory.mktemp("data")
    own = ("MASH_DATABASE_URL", "MASH_RUNTIME_DATABASE_URL", "MASH_REDIS_URL", "MASH_ALLOWED_HOSTS")
    environment = {name: value for name, value in os.environ.items() if name not in own}
    command = [sys.executable, "-m", "examples.pilot", "--workspace-root", str(root), "--port", str(port)]
    with (data / "output").open("w") as output:
        process = subprocess.Popen(
            [*command, "--data-dir", str(data)],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        assert healthy(port, process), (data / "output").read_text()
    finally:
        process.terminate()
        assert process.wait(timeout=START_S) == 0


def healthy(port: int, process: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
                return response.status == 200
        except OSError:  # also a time-out: the port listens before the tables are made
            time.sleep(0.2)
    return False
