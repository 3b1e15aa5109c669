"""What `bash` cannot reach when the server is root, with and without namespaces of its own."""

import os
import pwd
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agents.stop_signal import StopSignal
from agents.tools.bash.account import BashSettings, BashUnavailable, account_for
from agents.tools.bash.tool import BashTool
from agents.tools.context import ToolContext
from agents.tools.process.command import Command, Limits, Walls
from agents.tools.process.run import run

Shell = Callable[[str], str]
NOBODY = pwd.getpwnam("nobody")
LIMITS = Limits(cpu_s=10, memory_bytes=1 << 30, file_bytes=1 << 20, processes=64, open_files=256)


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mash-bash-", dir="/var/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def data(place: Path) -> Path:
    """A data directory as Mash makes it."""
    data = place / "data"
    data.mkdir(mode=0o700)
    (data / "secret_key").write_text("very secret")
    return data


@pytest.fixture(params=[True, False], ids=["with namespaces", "without namespaces"])
def shell(request: pytest.FixtureRequest, place: Path, data: Path) -> Shell:
    work = place / "work"
    work.mkdir(mode=0o700)
    os.chown(work, NOBODY.pw_uid, NOBODY.pw_gid)
    walls = Walls(hidden=[data]) if request.param else None

    def shell(line: str) -> str:
        output = bytearray()
        command = Command(
            arguments=["/bin/bash", "-c", line],
            directory=work,
            environment={"PATH": "/usr/bin:/bin"},
            user_id=NOBODY.pw_uid,
            group_id=NOBODY.pw_gid,
            limits=LIMITS,
            walls=walls,
        )

        def take(chunk: bytes) -> bool:
            output.extend(chunk)
            return True

        ending = run(command, take=take, stop=StopSignal(), timeout_s=20)
        assert ending.failure == ""
        return output.decode()

    return shell


def test_it_is_nobody_and_stays_so(shell: Shell) -> None:
    assert shell("id -u; id -G") == f"{NOBODY.pw_uid}\n{NOBODY.pw_gid}\n"
    assert "0" not in shell("python3 -c 'import os; os.setuid(0)' 2>/dev/null; id -u").split()


@pytest.mark.parametrize("shell", [True], ids=["with namespaces"], indirect=True)
@pytest.mark.parametrize("scratch", ["/tmp", "/var/tmp", "/dev/shm"])
def test_what_it_leaves_in_the_machines_scratch_space_is_its_own(shell: Shell, scratch: str) -> None:
    assert shell(f"echo mine > {scratch}/mash-left && cat {scratch}/mash-left") == "mine\n"
    assert not Path(scratch, "mash-left").exists()


def test_the_servers_environment_is_closed(shell: Shell) -> None:
    assert shell(f"cat /proc/{os.getpid()}/environ 2>/dev/null") == ""
    assert shell("cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c MASH_SECRET_KEY") == "0\n"


def test_the_data_directory_is_closed(shell: Shell, data: Path) -> None:
    assert "secret" not in shell(f"cat {data}/secret_key; ls {data}; cat ../data/secret_key").replace("secret_key", "")
    assert shell(f"touch {data}/mine 2>/dev/null && echo written") == ""


def test_the_server_cannot_be_signalled(shell: Shell) -> None:
    assert shell(f"kill -0 {os.getpid()} 2>/dev/null && echo reached") == ""


def test_its_guard_cannot_be_killed(shell: Shell) -> None:
    assert shell("kill -9 $PPID 2>/dev/null; kill -9 1 2>/dev/null; echo alive") == "alive\n"


def test_walls_hide_other_processes_and_the_machines_tmp(place: Path, context: ToolContext) -> None:
    bash = BashTool(BashSettings(root=place / "root", user="nobody", secret="x"))
    account = bash.account()
    if account is None or not account.has_walls:
        pytest.fail("This kernel allows root no namespaces; nothing of this can be shown here.")
    with tempfile.NamedTemporaryFile(dir="/tmp", prefix="mash-visible-") as file:
        Path(file.name).chmod(0o644)
        result = bash.execute({"command": f"ls {file.name}; ls /proc | grep -c '^[0-9]'"}, context)
    assert "No such file" in result.content
    assert int(result.content.split()[-1]) < 8


def test_walls_hide_other_sessions(place: Path, context: ToolContext) -> None:
    bash = BashTool(BashSettings(root=place / "root", user="nobody", secret="x"))
    bash.execute({"command": "echo private > file"}, context)
    [found] = (place / "root").rglob("file")
    other = bash.execute({"command": f"cat {found} 2>/dev/null; ls {place}/root"}, replace(context, session_id="other"))
    assert "private" not in other.content
    assert "acme" not in other.content


def test_the_network_can_be_taken_away(place: Path, context: ToolContext) -> None:
    def devices(*, network: bool) -> str:
        bash = BashTool(BashSettings(root=place / "root", user="nobody", secret="x", network=network))
        return bash.execute({"command": "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"}, context).content

    assert devices(network=False) == "lo\n"
    assert devices(network=True) != "lo\n" or len(os.listdir("/sys/class/net")) == 1


@pytest.mark.parametrize("user", ["root", "no-such-user"])
def test_it_never_runs_as_root(place: Path, user: str, context: ToolContext) -> None:
    settings = BashSettings(root=place / "root", user=user, secret="x")
    with pytest.raises(BashUnavailable):
        account_for(settings)
    result = BashTool(settings).execute({"command": "id"}, context)
    assert result.is_error
    assert "not set up" in result.content
