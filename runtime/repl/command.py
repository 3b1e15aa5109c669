"""What a slash command is."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from runtime.repl.desk import Desk
from runtime.repl.view import Outcome


class UsageError(Exception):
    """A command that does not exist or was given what it does not take; the text says what it takes."""


class Leave(Exception):
    """The reader wants to go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    name: str
    help: str
    run: Callable[[Desk, list[str]], Outcome]
    aliases: tuple[str, ...] = ()
    arguments: str = ""

    @property
    def usage(self) -> str:
        return f"/{self.name} {self.arguments}".rstrip()


def checked_id(text: str, usage: str) -> str:
    """An id as the deployment gives them to requests; `UsageError` for anything else."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise UsageError(f"Usage: {usage}, where an id looks like {uuid.UUID(int=0)}") from None
