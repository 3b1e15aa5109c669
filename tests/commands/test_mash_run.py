import fcntl
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from runtime.supervisor import Supervisor
from runtime.web import web_commands
from tests.commands.conftest import Said
from workspaces.models import User


@pytest.mark.parametrize("command", ["mash_run", "mash_web"])
def test_a_taken_port_is_told_before_anything_starts(run: Callable[..., Said], command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = run(command, "--host", "127.0.0.1", "--port", str(taken.getsockname()[1]))
    assert said.code == 1
    assert "Set PORT to another one" in said.err
    assert "serves" not in said.out


def test_only_web_processes_inherit_the_listening_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that held it would keep the port taken."""
    inherited: dict[str, tuple[int, ...]] = {}

    class Started:
        def __init__(self, command: list[str], **options: Any) -> None:
            inherited[" ".join(command)] = options["pass_fds"]
            children._stopping = True

        def poll(self) -> int:
            return 0

    monkeypatch.setattr("runtime.supervisor.subprocess.Popen", Started)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        descriptor = listener.fileno()
        web = web_commands(listener, 2)
        children = Supervisor({**web, "worker": ["worker"]}, stop_within_s=1, inherited=dict.fromkeys(web, descriptor))
        assert children.run() == 0
    assert inherited.pop("worker") == ()
    assert set(inherited.values()) == {(descriptor,)}


def test_the_welcome_says_where_to_open_it(
    db: None, run: Callable[..., Said], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MASH_DATA_DIR = tmp_path
    monkeypatch.setenv("MASH_ADMIN_USER", "ada")
    said = run("mash_run", "--prepare-only", "--port", "8123")
    found = re.search(r"Open +http://127\.0\.0\.1:8123/ and sign in as ada, password (\S+)", said.out)
    assert found
    assert User.objects.get(username="ada").check_password(found[1])


def test_one_data_directory_has_one_deployment(run: Callable[..., Said], settings: Settings, tmp_path: Path) -> None:
    """A second one with other agents in code would switch off those of the first."""
    settings.MASH_DATA_DIR = tmp_path
    with (tmp_path / "mash_run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = run("mash_run", "--port", "0")
    assert said.code == 1
    assert "Mash runs already" in said.err


@pytest.mark.parametrize(
    ("host_app", "told"),
    [
        ("no_such_module:build_host", "No module named 'no_such_module'"),
        ("examples.pilot.spec:no_such_name", "has no attribute 'no_such_name'"),
        ("tests.commands.broken_host:build_host", "broken_host.py:7"),
    ],
)
def test_agents_in_code_that_cannot_be_used_are_told_with_their_place(
    run: Callable[..., Said], settings: Settings, host_app: str, told: str
) -> None:
    settings.MASH_HOST_APP = host_app
    said = run("mash_run", "--prepare-only")
    assert said.code == 1
    assert f"MASH_HOST_APP={host_app} cannot be used" in said.err
    assert told in said.err
