"""`manage.py mash_workflow`: workflows and their runs from a shell."""

import json
import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from typing_extensions import override

from runtime.cancel import cancel_request
from runtime.kinds import Reason
from runtime.resume import resume_request
from workflows.api.lookup import find_run
from workflows.models import WorkflowRun
from workflows.public import run_row, step_accounts, workflow_row
from workflows.signal import signal_run
from workflows.start import find_workflow, start_run
from workspaces.errors import MashError
from workspaces.management.command import MashCommand, workspace_named
from workspaces.models import Workspace

_ACTOR = "command:mash_workflow"
_LOOK_EVERY_S = 0.5
_SHOWN = ("run_id", "status", "state", "trigger", "steps_completed", "error")


class Command(MashCommand):
    help = """List workflows, start runs, look at them and steer them. A worker must run for a run to go on.

Examples:
  manage.py mash_workflow list
  manage.py mash_workflow run nightly --input '{"day": "2026-11-23"}' --dedup-key nightly --wait
  manage.py mash_workflow runs nightly
  manage.py mash_workflow status nightly mw:h_0:nightly:x --steps
  manage.py mash_workflow signal nightly mw:h_0:nightly:x go --input '{"ok": true}'
  manage.py mash_workflow cancel nightly mw:h_0:nightly:x      # and resume

Exit codes: 0 done, and with --wait the run is completed; 1 it was refused, or the run failed or was cancelled; 2 wrong arguments."""

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["list", "run", "runs", "status", "signal", "cancel", "resume"])
        parser.add_argument("workflow", nargs="?", default="", help="Its id.")
        parser.add_argument("run", nargs="?", default="", help="Of one run: its id.")
        parser.add_argument("name", nargs="?", default="", help="Of a signal.")
        parser.add_argument("--workspace", default="main", metavar="SLUG", help="Default: main.")
        parser.add_argument("--input", default="{}", metavar="JSON", help="Of the run, or what a signal carries.")
        parser.add_argument("--dedup-key", default="", metavar="KEY", help="Refused while a run with it goes on.")
        parser.add_argument("--wait", action="store_true", help="Until the run has ended or waits for somebody.")
        parser.add_argument("--steps", action="store_true", help="With what has become of each step.")
        parser.add_argument("--limit", type=int, default=20, help="Runs to list. Default: 20.")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        workspace, verb = workspace_named(options["workspace"]), options["verb"]
        if verb != "list" and not options["workflow"]:
            raise CommandError(f"Which workflow? As in: mash_workflow {verb} nightly", returncode=2)
        try:
            getattr(self, f"_{verb}")(workspace, options)
        except MashError as error:
            raise CommandError(error.message, returncode=1) from error

    def _list(self, workspace: Workspace, options: dict[str, Any]) -> None:
        rows = [workflow_row(row) for row in workspace.workflows.listed().select_related("current_version")]
        shown = [
            {
                "workflow": row["workflow_id"],
                "version": row["version"],
                "source": row["source"],
                "enabled": row["is_enabled"],
                "steps": ", ".join(task["task_id"] for task in row["tasks"]),
            }
            for row in rows
        ]
        self.show_table(shown, empty=f"The workspace {workspace.slug} has no workflow.")

    def _run(self, workspace: Workspace, options: dict[str, Any]) -> None:
        workflow = find_workflow(workspace, options["workflow"])
        run = start_run(workflow, _json(options["input"]), by=_ACTOR, dedup_key=options["dedup_key"].strip())
        self.stdout.write(run.run_id)
        if options["wait"]:
            self._wait(workspace, run)

    def _wait(self, workspace: Workspace, run: WorkflowRun) -> None:
        row, steps = run.agent_request, -1
        while not row.is_terminal:
            time.sleep(_LOOK_EVERY_S)
            row.refresh_from_db()
            if row.steps != steps:
                steps = row.steps
                self.stderr.write(f"... {row.status}, {steps} steps done")
        if row.status != "completed":
            raise CommandError((row.error or {}).get("error") or f"The run was {row.status}.", returncode=1)
        self.show_json(run_row(find_run(workspace, run.workflow.workflow_id, run.run_id), with_output=True)["output"])

    def _runs(self, workspace: Workspace, options: dict[str, Any]) -> None:
        workflow = find_workflow(workspace, options["workflow"])
        related = ("workflow", "version", "schedule", "agent_request__rerun_of__workflow_run")
        found = workflow.runs.select_related(*related).order_by("-pk")[: options["limit"]]
        rows = [{name: run_row(run)[name] for name in _SHOWN} for run in found]
        self.show_table(rows, empty=f"{workflow.workflow_id} was never run.")

    def _status(self, workspace: Workspace, options: dict[str, Any]) -> None:
        run = self._found(workspace, options)
        shown = run_row(run, with_output=True)
        if options["steps"]:
            events = run.agent_request.events.filter(event_type__startswith="runtime.workflow.").order_by("sequence")
            shown["steps"] = [step.as_json() for step in step_accounts(events.iterator())]
        self.show_json(shown)

    def _signal(self, workspace: Workspace, options: dict[str, Any]) -> None:
        if not options["name"]:
            raise CommandError("Which signal? As in: mash_workflow signal nightly RUN go", returncode=2)
        signal_run(self._found(workspace, options), options["name"], _json(options["input"]), by=_ACTOR)
        self.stdout.write("Told.")

    def _cancel(self, workspace: Workspace, options: dict[str, Any]) -> None:
        cancel_request(self._found(workspace, options).agent_request, reason=Reason.CANCELLED, by=_ACTOR)
        self.stdout.write("Asked to stop.")

    def _resume(self, workspace: Workspace, options: dict[str, Any]) -> None:
        resume_request(self._found(workspace, options).agent_request, by=_ACTOR)
        self.stdout.write("It goes on.")

    def _found(self, workspace: Workspace, options: dict[str, Any]) -> WorkflowRun:
        return find_run(workspace, options["workflow"], options["run"])


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandError(f"--input is no JSON: {error}", returncode=2) from error
