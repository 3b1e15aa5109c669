"""`manage.py mash_run`: everything on one machine with one command; what `make run` starts."""

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from agents.catalogue import sync_code_agents
from agents.management.code_agents import check_code_agents
from agents.starter import STARTER_ID, offer_starter_agent, starter_provider
from runtime.supervisor import Supervisor
from runtime.web import CannotListen, listen, web_commands
from workspaces import databases
from workspaces.bootstrap import create_owner, create_workspace
from workspaces.models import User, Workspace
from workspaces.sqlite.statistics import refresh_statistics
from workspaces.tokens import issue_token

_SLUG = "main"
_ACTOR = "command:mash_run"


class Command(BaseCommand):
    help = (
        "Migrate, prepare the first workspace, and run web and worker until stopped.\n"
        "Example: PORT=9000 manage.py mash_run\n"
        "Exit codes: 0 stopped in good order, 1 it could not start or something had to be killed."
    )

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--prepare-only", action="store_true", help="Do everything but start the processes.")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        url = f"http://{_reachable(options['host'])}:{options['port']}"
        if options["prepare_only"]:
            self._make_ready(url)
            return
        # Before anything is changed: what runs here already must not be disturbed.
        with _data_directory():
            try:
                listener = listen(options["host"], options["port"])
            except CannotListen as error:
                raise CommandError(str(error)) from error
            self._make_ready(url)
            self.stdout.write(f"Mash serves {url} (admin: {url}/admin/, API: {url}/docs). Ctrl-C stops it.")
            self.stdout.flush()
            sys.exit(self._run(listener))

    def _make_ready(self, url: str) -> None:
        check_code_agents()
        databases.migrate_all(verbosity=0)
        refresh_statistics()
        self._prepare(url)
        sync_code_agents(Workspace.objects.all())

    def _run(self, listener: socket) -> int:
        web = web_commands(listener, int(os.environ.get("MASH_WEB_PROCESSES", "1")))
        worker = {"worker": [sys.executable, str(settings.BASE_DIR / "manage.py"), "mash_worker"]}
        inherited = dict.fromkeys(web, listener.fileno())
        return Supervisor(web | worker, stop_within_s=settings.MASH_DRAIN_SECONDS + 10, inherited=inherited).run()

    def _prepare(self, url: str) -> None:
        """First start: workspace, owner, token. Every start: the starter agent, and the file by which the REPL finds us."""
        first = Workspace.objects.order_by("pk").first()
        if first is None:
            first = create_workspace(_SLUG, "Main", actor=_ACTOR)
            offer_starter_agent(first)
            self._introduce(first, url)
        else:
            if first.agents.filter(agent_id=STARTER_ID).exists():
                offer_starter_agent(first)
            self._note_address(url)

    def _introduce(self, workspace: Workspace, url: str) -> None:
        username = os.environ.get("MASH_ADMIN_USER", "admin")
        owner = create_owner(workspace, username, actor=_ACTOR)
        _, token = issue_token(
            workspace,
            name="First token",
            actor=_ACTOR,
            created_by=owner.user,
            secret=os.environ.get("MASH_API_KEY", "").strip() or None,
        )
        _write_private(_local_file(), {"api_base_url": url, "api_key": token})
        self._print_welcome(workspace, url, owner.user, owner.password, token)

    def _print_welcome(self, workspace: Workspace, url: str, user: User, password: str, token: str) -> None:
        provider = starter_provider()
        demo = " (offline demo: no model is asked; set ANTHROPIC_API_KEY or OPENAI_API_KEY for a real one)"
        python = Path(sys.executable)
        shown = python.relative_to(settings.BASE_DIR) if python.is_relative_to(settings.BASE_DIR) else python
        body = '{"message": "What time is it in Lima?", "session_id": "s-1"}'
        self.stdout.write(
            f"""
Workspace "{workspace.slug}" is ready. These secrets are shown once:

  Open       {url}/ and sign in as {user.get_username()}{f", password {password}" if password else ""}
  API token  {token}
  Agent      assistant, provider {provider}{demo if provider == "demo" else ""}

Talk to it:

  curl -s {url}/api/v1/agent/assistant/request -H "Authorization: Bearer {token}" \\
    -H "Content-Type: application/json" -H "Prefer: wait=30" -d '{body}'

  {shown} manage.py mash_repl
"""
        )

    def _note_address(self, url: str) -> None:
        file = _local_file()
        if file.exists():
            _write_private(file, json.loads(file.read_text()) | {"api_base_url": url})


@contextmanager
def _data_directory() -> Iterator[None]:
    """Ours alone: a second start with other agents in code would switch off those of the first."""
    directory = Path(settings.MASH_DATA_DIR)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / "mash_run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = f"Mash runs already with the data directory {directory}. Stop it first, or set MASH_DATA_DIR."
            raise CommandError(text) from None
        yield


def _local_file() -> Path:
    """Where `mash_repl` finds the deployment that runs on this machine."""
    return Path(settings.MASH_DATA_DIR) / "local.json"


def _write_private(file: Path, content: dict[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        json.dump(content, stream)


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104  compared, not bound
