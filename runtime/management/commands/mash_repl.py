"""`manage.py mash_repl`: talks to an agent from a terminal or a pipe."""

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from typing_extensions import override

from runtime.repl.program import Options, run
from workspaces.management.command import MashCommand

_NAMES = ("api_base_url", "api_key", "agent", "session_id", "approve")


class Command(MashCommand):
    help = """Talk to an agent of a Mash deployment, here or elsewhere.

In a terminal: an editor with history (kept in ~/.mash/, readable only for you), completion and /help.
In a pipe: each line of the input is a message; answers go to stdout, everything else to stderr.
When an agent asks for an approval or an answer, the terminal asks you; Ctrl-C there leaves the question open (/inbox).
A pipe shows the question, leaves it open and ends; --approve decides approvals without asking.
Ctrl-C while a request runs cancels it.

The deployment: --api-base-url and --api-key, else MASH_API_BASE_URL and MASH_API_KEY,
else the one that `make run` started on this machine.

Examples:
  manage.py mash_repl
  manage.py mash_repl --api-base-url https://mash.example.org --agent research --session-id s-1
  echo "What time is it in Lima?" | manage.py mash_repl
  echo "Clean up" | manage.py mash_repl --approve none

Exit codes: 0 left in good order, and in a pipe every message was answered; 1 no connection, or in a pipe
a message or command failed; 2 wrong arguments; 3 a pipe ended at a question that is left open; 130 a pipe was
interrupted."""
    requires_system_checks = []

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--api-base-url", help="Address of the deployment, such as http://127.0.0.1:8000.")
        parser.add_argument("--api-key", help="API token. Others see it in the process list; MASH_API_KEY is safer.")
        parser.add_argument("--agent", help="Agent to talk to; default: the workspace's primary agent.")
        parser.add_argument("--session-id", help="Session to go on with; default: a new one.")
        text = "Approve or deny whatever asks for approval, without asking you."
        parser.add_argument("--approve", choices=("all", "none"), help=text)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        chosen = Options(**{name: options[name] for name in _NAMES})
        local_file = Path(settings.MASH_DATA_DIR) / "local.json"
        sys.exit(run(chosen, environment=os.environ, local_file=local_file))
