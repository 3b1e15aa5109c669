"""`manage.py mash_agents`: a workspace's agents as a file, out and in."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from typing_extensions import override

from agents.agent_file import InvalidAgentFile, read_agent_file
from agents.transfer import Change, export_agents, import_agents, plan_import
from workspaces.management.command import MashCommand, workspace_named

_ACTOR = "command:mash_agents"


class Command(MashCommand):
    help = """Export a workspace's agents as YAML, and import them.

Examples:
  manage.py mash_agents export --workspace main > agents.yaml
  manage.py mash_agents import agents.yaml --workspace staging --dry-run
  manage.py mash_agents import agents.yaml --workspace staging

An import changes the agents that the file names, all or none; others stay. Each change is a new version.
Exit codes: 0 done, 1 not possible (the message names the lines), 2 wrong arguments."""

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        export = actions.add_parser("export", help="Write the agents as YAML.")
        export.add_argument("agents", nargs="*", metavar="AGENT_ID", help="Which (default: all).")
        export.add_argument("--output", type=Path, help="A file (default: standard output).")
        take_in = actions.add_parser("import", help="Make the agents as a file says.")
        take_in.add_argument("file", help="The file; - for standard input.")
        take_in.add_argument("--dry-run", action="store_true", help="Show what would change.")
        take_in.add_argument("--json", action="store_true", help="The changes as JSON.")
        for action in (export, take_in):
            action.add_argument("--workspace", required=True)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "export":
            self._export(options)
        else:
            self._import(options)

    def _export(self, options: dict[str, Any]) -> None:
        try:
            text = export_agents(workspace_named(options["workspace"]), only=options["agents"])
        except InvalidAgentFile as error:
            raise CommandError(str(error)) from error
        if options["output"]:
            options["output"].write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")

    def _import(self, options: dict[str, Any]) -> None:
        workspace, name = workspace_named(options["workspace"]), options["file"]
        text = _read(name)
        try:
            file = read_agent_file(text)
            if options["dry_run"]:
                changes = plan_import(workspace, file)
            else:
                changes = import_agents(workspace, file, actor=_ACTOR)
        except InvalidAgentFile as error:
            told = "\n".join(f"  {name}, {problem}" if problem.line else f"  {problem}" for problem in error.problems)
            raise CommandError(f"Nothing was imported:\n{told}") from error
        if options["json"]:
            self.show_json([_as_json(change) for change in changes])
        else:
            self._show(changes, is_dry=options["dry_run"])

    def _show(self, changes: list[Change], *, is_dry: bool) -> None:
        for change in changes:
            self.stdout.write(f"{change.agent_id}: {_verdict(change)}")
            if is_dry and change.diff:
                self.stdout.write(change.diff, ending="")
            for warning in change.warnings:
                self.stderr.write(f"{change.agent_id} will not run yet: {warning}")
        if is_dry:
            self.stdout.write("Dry run: nothing was changed.")


def _verdict(change: Change) -> str:
    if not change.diff:
        return "unchanged"
    return "new" if change.is_new else "changed"


def _as_json(change: Change) -> dict[str, Any]:
    return {
        "agent_id": change.agent_id,
        "change": _verdict(change),
        "diff": change.diff,
        "warnings": list(change.warnings),
    }


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name} cannot be read: {error}.") from error
