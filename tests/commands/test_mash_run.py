import socket
from collections.abc import Callable
from typing import Any

import pytest

from runtime.supervisor import Supervisor
from runtime.web import web_commands
from tests.commands.conftest import Said


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
