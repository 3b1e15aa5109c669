"""`manage.py mash_rotate_keys`: moves stored secrets to a new encryption key."""

from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import CommandError, CommandParser
from typing_extensions import override

from agents.rotate import rotate_secrets
from workspaces.management.command import MashCommand


class Command(MashCommand):
    help = """Put every stored provider key and MCP server's secrets under the first of MASH_ENCRYPTION_KEYS.

Examples:
  manage.py mash_rotate_keys --new-key     # 1. make a key, put it before the old one, restart everything
  manage.py mash_rotate_keys               # 2. encrypt anew; then the old key may go

It may be stopped and repeated. Without MASH_ENCRYPTION_KEYS the keys are in the file encryption_keys of the data directory.
Exit codes: 0 done, 1 some keys could not be read (the message names them), 2 wrong arguments."""

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new-key", action="store_true", help="Print a fresh key and change nothing.")
        parser.add_argument("--json", action="store_true")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if options["new_key"]:
            self.stdout.write(Fernet.generate_key().decode())
            return
        rotation = rotate_secrets()
        if options["json"]:
            found = {"changed": rotation.changed, "current": rotation.current, "unreadable": rotation.unreadable}
            self.show_json(found)
        else:
            self.stdout.write(f"{rotation.changed} keys encrypted anew, {rotation.current} were current.")
        if rotation.unreadable:
            raise CommandError(
                f"No configured key opens {', '.join(rotation.unreadable)}. Put the key that does back into "
                "MASH_ENCRYPTION_KEYS and run this again, or enter those anew in the admin."
            )
