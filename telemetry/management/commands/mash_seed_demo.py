"""`manage.py mash_seed_demo`: a workspace full of what agents might have done."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from typing_extensions import override

from telemetry.demo.seed import LONG_SPANS, Wish, seed_demo
from telemetry.demo.write import Written
from workspaces.bootstrap import add_member, create_workspace
from workspaces.management.command import MashCommand
from workspaces.models import User, Workspace
from workspaces.roles import Role
from workspaces.scoping import only

_ACTOR = "command:mash_seed_demo"


class Command(MashCommand):
    help = """Write a believable history into a workspace: agents, conversations, requests with their logs, memory, usage.

Examples:
  manage.py mash_seed_demo --requests 500                      # into the workspace `demo`, which is made if need be
  manage.py mash_seed_demo --requests 100000 --workspace load  # 2,000,000 events, in minutes
  manage.py mash_rebuild --check --workspace demo              # what was written is what the runtime would have written

Nothing of it can be told from real requests, so keep it out of workspaces that people work in. A few of its requests go on:
they run, wait, or ask. Workers take those that run over after a minute, and an offline model answers. The same --seed writes
the same history.
Exit codes: 0 written, 1 the workspace has requests already and --yes is missing, 2 wrong arguments."""

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--requests", type=int, required=True, metavar="N", help="How many, delegated ones included."
        )
        parser.add_argument("--workspace", default="demo", metavar="SLUG", help="Default: demo.")
        parser.add_argument("--days", type=int, default=30, help="How far back it reaches. Default: 30.")
        parser.add_argument("--seed", type=int, default=1, help="Another number, another history. Default: 1.")
        parser.add_argument("--small", action="store_true", help="Without the four traces of 500 and 2,000 spans.")
        parser.add_argument("--yes", action="store_true", help="Also into a workspace that has requests.")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if options["requests"] < 1 or options["days"] < 1:
            raise CommandError("--requests and --days must be at least 1.", returncode=2)
        workspace = _workspace(options["workspace"])
        if workspace.agent_requests.exists() and not options["yes"]:
            raise CommandError(
                f"The workspace {workspace.slug} has requests already; say --yes to mix these with them.", returncode=1
            )
        is_small = options["small"] or options["requests"] < 10 * len(LONG_SPANS)
        wish = Wish(
            requests=options["requests"],
            days=options["days"],
            seed=options["seed"],
            now=timezone.now(),
            long_spans=() if is_small else LONG_SPANS,
        )
        self._began = time.monotonic()
        written = seed_demo(workspace, wish, progress=self._progress)
        self.stdout.write(
            f"{workspace.slug}: {written.requests} requests, {written.events} events, {written.turns} turns"
            f" in {time.monotonic() - self._began:.0f} s."
        )

    def _progress(self, written: Written) -> None:
        if self._began + 2 < time.monotonic():
            speed = written.events / (time.monotonic() - self._began)
            self.stderr.write(f"... {written.requests} requests, {written.events} events, {speed:.0f} events/s")


def _workspace(slug: str) -> Workspace:
    """The workspace, made if need be, with the operators of this deployment as its owners."""
    known = only(Workspace.objects.filter(slug=slug))
    if known is not None:
        return known
    workspace = create_workspace(slug, slug.replace("-", " ").title(), actor=_ACTOR)
    for user in User.objects.filter(is_superuser=True, is_active=True):
        add_member(workspace, user, Role.OWNER, actor=_ACTOR)
    return workspace
