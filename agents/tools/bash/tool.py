"""`bash` as the model calls it (contract 5.11, extensions 6)."""

import logging
from typing import Any

from typing_extensions import override

from agents.tools.base import Tool, ToolResult
from agents.tools.bash.account import (
    SYSTEM_PATH,
    Account,
    BashSettings,
    BashUnavailable,
    account_for,
    is_reachable,
    working_directory,
)
from agents.tools.bash.output import MAX_BYTES, Output
from agents.tools.context import ToolContext
from agents.tools.process.command import Command, Ending, Limits, Walls
from agents.tools.process.run import run

logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT_S = 30
MAX_TIMEOUT_S = 300
DENIED = ("rm -rf /", "mkfs", ":(){:|:&};:", "shutdown", "reboot", "sudo")
_FILE_BYTES = 256 * 1024 * 1024
_PROCESSES = 128
_OPEN_FILES = 256
TRUSTED_ONLY = "(As set up here it runs as the server's own user: for trusted, single-workspace use only.)"
_DESCRIPTION = f"""Run a command with bash in the session's working directory and get what it prints.

Each call starts a new shell in the same directory: files stay, variables and background processes do not. Standard error is
mixed into the output, of which the first 50 lines or 4000 characters are shown, so keep it small: select with head, tail,
grep -c or wc. Prefer rg (ripgrep) to grep -r, name the folder to search, and leave vendor and build folders (node_modules,
.venv, dist, .git) out. Never scan the whole disk. Default time-out {DEFAULT_TIMEOUT_S} s, at most {MAX_TIMEOUT_S} s.

Examples: rg -n "def main" src | head -20; python3 -c 'print(2**64)'; wc -l data.csv"""


class BashTool(Tool):
    """Runs one command per call; nothing that a call has started outlives it."""

    name = "bash"
    description = _DESCRIPTION
    crash_policy = "at_most_once"
    timeout_s = MAX_TIMEOUT_S + 5

    def __init__(self, settings: BashSettings, *, requires_approval: bool = False) -> None:
        self._settings = settings
        self.requires_approval = requires_approval
        self.parameters = {
            "type": "object",
            "properties": {
                "command": {"type": "string", "description": "What bash runs."},
                "timeout": {
                    "type": "integer",
                    "minimum": 1,
                    "default": DEFAULT_TIMEOUT_S,
                    "description": f"Seconds after which it is killed; more than {MAX_TIMEOUT_S} means {MAX_TIMEOUT_S}.",
                },
            },
            "required": ["command"],
        }
        self.note = self._note()

    @override
    def execute(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        command, timeout_s = str(args["command"]), min(int(args.get("timeout", DEFAULT_TIMEOUT_S)), MAX_TIMEOUT_S)
        if denied := next((text for text in DENIED if text in command), None):
            return ToolResult.error(f"Refused: the command contains {denied!r}.")
        if "\x00" in command:
            return ToolResult.error("Refused: the command contains a NUL character.")
        output = Output()
        try:
            task = self._task(command, timeout_s, context)
        except BashUnavailable as error:
            logger.error("bash cannot run: %s", error, extra={"action": "bash.unavailable"})
            return ToolResult.error(f"bash is not set up on this server: {error}")
        ending = run(task, take=output.take, stop=context.stop, timeout_s=timeout_s)
        return _result(ending, output, timeout_s)

    def _task(self, command: str, timeout_s: int, context: ToolContext) -> Command:
        settings, account = self._settings, account_for(self._settings)
        directory = working_directory(settings, account, context)
        if not is_reachable(directory, account):
            raise BashUnavailable(f"{settings.user} may not enter {settings.root}.")
        walls = Walls(hidden=[*settings.hidden, settings.root], network=settings.network) if account.has_walls else None
        home = walls.directory if walls else str(directory)
        return Command(
            arguments=["/bin/bash", "--noprofile", "--norc", "-c", command],
            directory=directory,
            environment={"PATH": SYSTEM_PATH, "HOME": home, "LANG": "C.UTF-8"},
            user_id=account.user_id,
            group_id=account.group_id,
            limits=Limits(
                cpu_s=timeout_s + 5,
                memory_bytes=settings.memory_bytes,
                file_bytes=_FILE_BYTES,
                processes=_PROCESSES,
                open_files=_OPEN_FILES,
            ),
            walls=walls,
        )

    def _note(self) -> str:
        account = self.account()
        return "" if account and account.is_separate else TRUSTED_ONLY

    def account(self) -> Account | None:
        """How it would run; None when it cannot."""
        try:
            return account_for(self._settings)
        except BashUnavailable:
            return None


def _result(ending: Ending, output: Output, timeout_s: int) -> ToolResult:
    text = output.text()
    if ending.failure:
        return ToolResult.error(f"The command could not be run: {ending.failure}")
    if ending.killed_for == "timeout":
        return ToolResult.error(f"The command was killed after {timeout_s} seconds. Its output so far:\n{text}")
    if ending.killed_for == "output":
        return ToolResult.error(f"The command was killed: it printed over {MAX_BYTES >> 20} MB. The beginning:\n{text}")
    if ending.killed_for:
        return ToolResult.error(f"The command was killed: {ending.killed_for}.")
    return ToolResult.success(text, exit_code=ending.exit_code)
