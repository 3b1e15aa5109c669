"""`bash` as the contract has it, and bounded whatever a command does."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agents.stop_signal import StopSignal
from agents.tools.bash.account import BashSettings
from agents.tools.bash.tool import BashTool
from tests.agents.tools.conftest import Call


@pytest.fixture
def bash_settings() -> Iterator[BashSettings]:
    """With directories that another user may pass through to."""
    with tempfile.TemporaryDirectory(prefix="mash-bash-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        yield BashSettings(root=Path(name), user="nobody", secret="tests")


@pytest.fixture
def bash(bash_settings: BashSettings) -> BashTool:
    return BashTool(bash_settings)


def is_running(command: str) -> bool:
    return subprocess.run(["pgrep", "-f", command], check=False, capture_output=True).returncode == 0


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_output_and_errors_are_mixed_and_the_exit_code_told(call: Call, bash: BashTool) -> None:
    result = call(bash, command="echo one; echo two >&2; exit 3")
    assert (result.content, result.is_error, result.metadata) == ("one\ntwo\n", False, {"exit_code": 3})


def test_a_signal_is_told_as_a_shell_does(call: Call, bash: BashTool) -> None:
    assert call(bash, command="kill -SEGV $$").metadata == {"exit_code": 139}


def test_the_environment_is_clean(call: Call, bash: BashTool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    names = {line.partition("=")[0] for line in call(bash, command="env").content.splitlines()}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "HOME", "LANG"}
    assert call(bash, command='test "$HOME" = "$PWD" && echo home').content == "home\n"


def test_files_stay_within_a_session_and_nothing_else_does(call: Call, bash: BashTool, context) -> None:
    call(bash, command="echo kept > file; variable=lost")
    assert call(bash, command="cat file; echo $variable").content == "kept\n\n"
    other = bash.execute({"command": "ls -A"}, replace(context, session_id="other"))
    assert (other.content, other.metadata) == ("", {"exit_code": 0})


@pytest.mark.parametrize(
    ("command", "shown", "notice"),
    [
        ("seq 50", "\n50\n", ""),
        ("seq 60", "\n50\n", "60 lines in all, at most 50 shown"),
        ("head -c 5000 /dev/zero | tr '\\0' x", "x" * 4000, "at most 4000 characters shown"),
        ("seq 100000 | tr '\\n' ' '; seq 70", "1 2 3", "70 lines in all, at most 50 shown; at most 4000"),
    ],
)
def test_output_is_cut_with_a_notice(call: Call, bash: BashTool, command: str, shown: str, notice: str) -> None:
    content = call(bash, command=command).content
    assert shown in content
    assert notice in content
    assert ("[cut" in content) == bool(notice)
    assert len(content) < 4200


@pytest.mark.parametrize(
    "command", ["rm -rf / --no-preserve-root", "mkfs.ext4 /dev/sda", "sudo id", ":(){:|:&};:", "reboot", "shutdown now"]
)
def test_some_slips_are_refused(call: Call, bash: BashTool, command: str) -> None:
    result = call(bash, command=command)
    assert result.is_error
    assert "Refused" in result.content


def test_a_time_out_names_the_seconds_and_kills_everything(call: Call, bash: BashTool) -> None:
    began = time.monotonic()
    result = call(bash, command="echo begun; trap '' TERM; setsid sleep 87654 & sleep 87654", timeout=1)
    assert time.monotonic() - began < 10
    assert result.is_error
    assert "after 1 seconds" in result.content
    assert "begun" in result.content
    assert not is_running("sleep 87654")


@pytest.mark.parametrize("timeout", [0, "soon"])
def test_a_time_out_that_makes_no_sense_is_refused(call: Call, bash: BashTool, timeout: object) -> None:
    assert "timeout" in call(bash, command="true", timeout=timeout).content


def test_a_stop_kills_everything(call: Call, bash: BashTool) -> None:
    stop = StopSignal()
    threading.Timer(0.3, lambda: stop.set("cancelled")).start()
    began = time.monotonic()
    result = call(bash, stop, command="(setsid sleep 76543 &); sleep 76543", timeout=60)
    assert time.monotonic() - began < 10
    assert "cancelled" in result.content
    assert not is_running("sleep 76543")


def test_nothing_outlives_the_command(call: Call, bash: BashTool) -> None:
    command = "setsid nohup sleep 65432 >/dev/null 2>&1 & disown; (sleep 65432 &) ; echo left"
    assert call(bash, command=command).content == "left\n"
    assert not is_running("sleep 65432")


def test_nothing_outlives_a_server_that_is_killed(bash_settings: BashSettings) -> None:
    server = f"""
from pathlib import Path
from agents.tools.bash.account import BashSettings
from agents.tools.bash.tool import BashTool
from agents.tools.context import ToolContext
context = ToolContext(workspace="acme", agent_id="a", session_id="s", request_id="r", idempotency_key="k")
settings = BashSettings(root=Path({str(bash_settings.root)!r}), user="nobody", secret="tests")
BashTool(settings).execute({{"command": "(setsid sleep 54321 &) ; sleep 54321", "timeout": 60}}, context)
"""
    process = subprocess.Popen([sys.executable, "-c", server])
    try:
        wait_until(lambda: is_running("^sleep 54321"))
    finally:
        process.kill()
        process.wait()
    wait_until(lambda: not is_running("^sleep 54321"))


def test_a_flood_of_output_ends_the_command_and_uses_no_memory(call: Call, bash: BashTool) -> None:
    before = int(Path("/proc/self/statm").read_text().split()[1])
    began = time.monotonic()
    result = call(bash, command="cat /dev/zero | tr '\\0' y", timeout=30)
    grown = (int(Path("/proc/self/statm").read_text().split()[1]) - before) * os.sysconf("SC_PAGE_SIZE")
    assert "printed over 16 MB" in result.content
    assert time.monotonic() - began < 15
    assert grown < 32 * 1024 * 1024


@pytest.mark.parametrize(
    "bomb",
    [
        "bomb() { bomb | bomb & }; bomb; sleep 20",
        'export -f bomb; bomb() { setsid bash -c "$(declare -f bomb); bomb" & setsid bash -c "$(declare -f bomb); bomb" & }; bomb; sleep 20',
    ],
)
def test_a_fork_bomb_is_bounded_and_ended(call: Call, bash: BashTool, bomb: str) -> None:
    began = time.monotonic()
    result = call(bash, command=bomb, timeout=1)
    assert time.monotonic() - began < 15
    assert "killed after 1 seconds" in result.content
    assert "declare" not in bomb or not is_running("declare -f bomb")
    assert call(bash, command="echo well").content == "well\n"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("head -c 300M /dev/zero > big; ls -l big | cut -d' ' -f5", "268435456"),
        ("python3 -c 'x = bytearray(3 << 30)' 2>&1 | tail -1 || true; ulimit -v", "1048576"),
        ("ulimit -n; ulimit -c", "256\n0"),
        ("ulimit -u unlimited || echo kept", "kept"),
    ],
)
def test_the_kernel_holds_the_limits(call: Call, bash: BashTool, command: str, told: str) -> None:
    assert told in call(bash, command=command).content


def test_privileges_cannot_be_gained(call: Call, bash: BashTool) -> None:
    assert "NoNewPrivs:\t1" in call(bash, command="grep NoNewPrivs /proc/self/status").content


def test_a_session_id_cannot_lead_out_of_the_root(bash: BashTool, bash_settings: BashSettings, context) -> None:
    bash.execute({"command": "touch here"}, replace(context, session_id="../../../escape"))
    assert [path.parent.parent.name for path in bash_settings.root.rglob("here")] == ["acme"]


def test_it_may_ask_for_approval(bash_settings: BashSettings) -> None:
    assert not BashTool(bash_settings).requires_approval
    assert BashTool(bash_settings, requires_approval=True).requires_approval
    assert BashTool.crash_policy == "at_most_once"


def test_a_directory_that_cannot_be_made_is_told(call: Call, bash_settings: BashSettings) -> None:
    (bash_settings.root / "file").write_text("")
    result = call(BashTool(replace(bash_settings, root=bash_settings.root / "file")), command="true")
    assert result.is_error
    assert "not set up" in result.content
