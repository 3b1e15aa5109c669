"""What a child process is to be: its command, its surroundings, its limits and its walls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the kernel holds each process to; `processes` counts all of the Unix user's."""

    cpu_s: int
    memory_bytes: int
    file_bytes: int
    processes: int
    open_files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """Namespaces of its own: it sees no other process, and private places to write, of which /tmp holds its working directory."""

    hidden: Sequence[Path] = ()
    """Directories that look empty inside."""
    network: bool = True
    directory: str = "/tmp/work"  # noqa: S108  in a private one
    """The working directory's name inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    arguments: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    stdin: bytes = b""
    user_id: int | None = None
    """The Unix user that it runs as; None: the server's own."""
    group_id: int | None = None
    limits: Limits | None = None
    walls: Walls | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a child process ended. `exit_code` is 128 + n for signal n, None when it was killed from here."""

    exit_code: int | None = None
    killed_for: str = ""
    """`cancelled`, `deadline`, `timeout` or `output`; empty when it ended by itself."""
    failure: str = ""
    """Why it could not be run."""
    left_behind: int = 0
    """Processes that could not be killed, as far as is known."""
