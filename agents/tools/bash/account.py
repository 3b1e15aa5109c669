"""Under which Unix user, in which directory and behind which walls `bash` runs, and what that does not protect from."""

import hashlib
import os
import pwd
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agents.stop_signal import StopSignal
from agents.tools.context import ToolContext
from agents.tools.process.command import Command, Walls
from agents.tools.process.run import run

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class BashUnavailable(Exception):
    """The deployment is not set up so that `bash` may run; the text is for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BashSettings:
    """What the operator has decided."""

    root: Path
    """Holds the working directories."""
    user: str
    secret: str
    """Makes the directories' names impossible to guess."""
    hidden: Sequence[Path] = ()
    memory_bytes: int = 1 << 30
    network: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    user_id: int | None
    group_id: int | None
    has_walls: bool

    @property
    def is_separate(self) -> bool:
        """Whether commands run as another user than the server."""
        return self.user_id is not None


def account_for(settings: BashSettings) -> Account:
    """How commands can run here. Raises `BashUnavailable` rather than run one as root, or with a network that is not wanted."""
    if os.geteuid() != 0:
        if not settings.network:
            raise BashUnavailable("Only a server that runs as root can take the network away from bash.")
        return Account(user_id=None, group_id=None, has_walls=False)
    try:
        user = pwd.getpwnam(settings.user)
    except KeyError:
        raise BashUnavailable(f"The server runs as root, and there is no Unix user {settings.user!r}.") from None
    if user.pw_uid == 0:
        raise BashUnavailable("bash does not run as root.")
    has_walls = _can_raise_walls(os.getpid())
    if not (has_walls or settings.network):
        raise BashUnavailable("The kernel does not let this server take the network away from bash.")
    return Account(user_id=user.pw_uid, group_id=user.pw_gid, has_walls=has_walls)


def working_directory(settings: BashSettings, account: Account, context: ToolContext) -> Path:
    """One for each session of each agent, made at first use."""
    about = "\x00".join((settings.secret, context.workspace, context.agent_id, context.session_id))
    name = hashlib.sha256(about.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    directory = settings.root / context.workspace / name
    try:
        # Others may pass through and see nothing on the way.
        for parent in (settings.root, directory.parent):
            parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        if account.user_id is not None and account.group_id is not None:
            os.chown(directory, account.user_id, account.group_id, follow_symlinks=False)
    except OSError as error:
        raise BashUnavailable(f"{directory.parent} cannot be made: {error.strerror}.") from error
    return directory


def is_reachable(directory: Path, account: Account) -> bool:
    """Whether the user may enter every directory above; walls put it elsewhere, so that it does not matter."""
    if account.has_walls or not account.is_separate:
        return True
    return all(parent.stat().st_mode & 0o001 for parent in directory.parents)


@cache
def _can_raise_walls(process_id: int) -> bool:
    """Tried until it is known, and then no more in this process."""
    with tempfile.TemporaryDirectory() as directory:
        command = Command(
            arguments=["/bin/true"],
            directory=Path(directory),
            environment={"PATH": SYSTEM_PATH},
            walls=Walls(network=False),
        )
        ending = run(command, take=lambda _chunk: True, stop=StopSignal(), timeout_s=5)
    if ending.exit_code != 0 and not ending.failure:
        raise BashUnavailable("Whether it can have namespaces of its own could not be found out.")
    return ending.exit_code == 0
