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
    takes_text: bool = False
    """Its one argument is the rest of the line, blanks included."""

    @property
    def usage(self) -> str:
        return f"/{self.name} {self.arguments}".rstrip()


def _checked_id(text: str, usage: str) -> str:
    """An id as the deployment gives them to requests; `UsageError` for anything else."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise UsageError(f"Usage: {usage}, where an id looks like {uuid.UUID(int=0)}") from None


def checked_limit(arguments: list[str], usage: str) -> int | None:
    if arguments and not arguments[0].isdecimal():
        raise UsageError(f"Usage: {usage}, where limit is a whole number")
    return int(arguments[0][:9]) if arguments else None


def chosen_request(desk: Desk, arguments: list[str], usage: str) -> str:
    """The request that the command names, else the newest one of this session."""
    if arguments:
        return _checked_id(arguments[0], usage)
    talk = desk.conversation
    newest = talk.client.list_requests(talk.agent_id, session_id=talk.session_id, limit=1)["requests"]
    if not newest:
        raise UsageError("This session has no request yet.")
    return str(newest[0]["request_id"])
