"""`manage.py mash_web`: serves HTTP with Daphne, one process per core behind one port."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from runtime.supervisor import Supervisor
from runtime.web import CannotListen, daphne_command, listen, web_commands


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
            listener = listen(options["host"], options["port"])
        except CannotListen as error:
            raise CommandError(str(error)) from error
        if options["processes"] == 1:
            os.execv(sys.executable, daphne_command(listener.fileno()))  # noqa: S606  our own command
        commands = web_commands(listener, options["processes"])
        inherited = dict.fromkeys(commands, listener.fileno())
        sys.exit(Supervisor(commands, stop_within_s=10, inherited=inherited).run())
