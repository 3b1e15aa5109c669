"""`manage.py mash_rebuild`: is everything that is computed from the log as the log says?"""

import uuid
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from typing_extensions import override

from runtime.models import AgentRequest
from runtime.verify.difference import Difference
from runtime.verify.run import Counts, Verification
from workspaces.management.command import MashCommand, workspace_named
from workspaces.models import Workspace

_PROGRESS_EVERY = 10_000


class Command(MashCommand):
    help = """Compare requests, turns, sessions, questions, delegations and usage with the log, and set right what differs.

Examples:
  manage.py mash_rebuild --check                         # everything; changes nothing
  manage.py mash_rebuild --check --workspace research --since 2026-11-01
  manage.py mash_rebuild --request 5f0c1a52-...          # one request, and set its row right

It may run beside a working deployment. What the log itself cannot tell, such as a turn that is gone, is only reported.
Exit codes: 0 nothing differs (or all of it was set right), 1 something differs, 2 wrong arguments."""

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Report only.")
        parser.add_argument("--workspace", help="Slug of the only workspace to look at.")
        parser.add_argument("--since", type=date.fromisoformat, help="Only what began on this day (UTC) or later.")
        parser.add_argument("--request", type=uuid.UUID, help="Only this request.")
        parser.add_argument("--json", action="store_true")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        is_repairing = not options["check"]
        since = datetime.combine(options["since"], time.min, UTC) if options["since"] else None
        verification = Verification(
            since=since, request_id=options["request"], is_repairing=is_repairing, progress=self._progress
        )
        self._told = 0
        found: list[Difference] = []
        for workspace in self._workspaces(options):
            for difference in verification.differences(workspace):
                found.append(difference)
                if not options["json"]:
                    self.stdout.write(f"{workspace.slug}: {difference}{_outcome(difference, is_repairing)}")
        self._summarise(verification.counts, found, options)
        remaining = [difference for difference in found if not (is_repairing and difference.can_be_repaired)]
        if remaining:
            raise CommandError(f"{len(remaining)} differences.", returncode=1)

    def _workspaces(self, options: dict[str, Any]) -> list[Workspace]:
        if options["workspace"]:
            return [workspace_named(options["workspace"])]
        workspaces = Workspace.objects.order_by("pk")
        if options["request"] is None:
            return list(workspaces)
        row = AgentRequest.rows.filter(request_id=options["request"]).select_related("workspace").first()
        if row is None:
            raise CommandError(f"There is no request {options['request']}.", returncode=2)
        return [row.workspace]

    def _progress(self, counts: Counts) -> None:
        if counts.requests + counts.sessions >= self._told + _PROGRESS_EVERY:
            self._told = counts.requests + counts.sessions
            self.stderr.write(f"... {counts.requests} requests, {counts.events} events, {counts.sessions} sessions")

    def _summarise(self, counts: Counts, found: list[Difference], options: dict[str, Any]) -> None:
        if options["json"]:
            figures = {name: getattr(counts, name) for name in ("requests", "unfinished", "events", "sessions")}
            self.show_json({**figures, "differences": [str(difference) for difference in found]})
            return
        said = f"{len(found)} differences" if found else "nothing differs"
        self.stdout.write(
            f"{counts.requests} requests ({counts.unfinished} unfinished) with {counts.events} events,"
            f" {counts.sessions} sessions: {said}."
        )


def _outcome(difference: Difference, is_repairing: bool) -> str:
    if not is_repairing:
        return ""
    return " (set right)" if difference.can_be_repaired else " (not set right)"
