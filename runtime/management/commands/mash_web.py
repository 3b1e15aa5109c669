"""`manage.py mash_web`: serves HTTP with Daphne, one process per core behind one port."""

import os
import socket
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from typing_extensions import override

from runtime.supervisor import Supervisor


class Command(BaseCommand):
    help = (
        "Serve HTTP on HOST and PORT until stopped.\n"
        "Example: PORT=9000 manage.py mash_web --processes 2\n"
        "Exit codes: 0 stopped in good order, 1 the port is taken or a process had to be killed."
    )

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--processes", type=int, default=int(os.environ.get("MASH_WEB_PROCESSES", "1")))

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            listener = socket.create_server(
                (options["host"], options["port"]), backlog=1024, family=_family(options["host"])
            )
        except OSError as error:
            self.stderr.write(
                f"Cannot listen on {options['host']}:{options['port']}: {error}. Set PORT to another one."
            )
            sys.exit(1)
        listener.set_inheritable(True)
        descriptor = listener.fileno()
        if options["processes"] == 1:
            os.execv(sys.executable, daphne_command(descriptor))  # noqa: S606  our own command
        commands = {f"web {number}": daphne_command(descriptor) for number in range(1, options["processes"] + 1)}
        sys.exit(Supervisor(commands, stop_within_s=10, pass_fds=[descriptor]).run())


def daphne_command(descriptor: int) -> list[str]:
    """Daphne on a socket that is open already, so that several processes can share it."""
    quiet = ["-v", "0", "--server-name", "mash"]
    return [sys.executable, "-m", "daphne", "--fd", str(descriptor), *quiet, "mashsite.asgi:application"]


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
