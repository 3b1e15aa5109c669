"""The web processes: Daphne on one listening socket that all of them share."""

import socket
import sys
from collections.abc import Callable

from workspaces.errors import MashError


class CannotListen(MashError):
    """The port is taken, or the address is not this machine's."""

    code = "CANNOT_LISTEN"


_starters: list[Callable[[], None]] = []


def when_web_starts(start: Callable[[], None]) -> None:
    """Lets a room above do something in each web process before it serves."""
    _starters.append(start)


def start_all() -> None:
    for start in _starters:
        start()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that processes started from here may inherit."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), backlog=1024, family=family)
    except OSError as error:
        raise CannotListen(f"Cannot listen on {host}:{port}: {error}. Set PORT to another one.") from error
    listener.set_inheritable(True)
    return listener


def web_commands(listener: socket.socket, processes: int) -> dict[str, list[str]]:
    """The command of each web process, by name."""
    return {f"web {number}": daphne_command(listener.fileno()) for number in range(1, processes + 1)}


def daphne_command(descriptor: int) -> list[str]:
    quiet = ["-v", "0", "--server-name", "mash"]
    return [sys.executable, "-m", "runtime.web_server", "--fd", str(descriptor), *quiet, "mashsite.asgi:application"]
