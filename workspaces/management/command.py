"""What the mash_* commands share: help as it was written, tables for people, JSON for programs."""

import json
from argparse import RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from typing_extensions import override

from workspaces.models import Workspace
from workspaces.scoping import only


class _HelpAsWritten(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Keeps the lines of examples apart."""


class MashCommand(BaseCommand):
    @override
    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=_HelpAsWritten, **kwargs)

    def show_table(self, rows: Sequence[Mapping[str, object]], *, empty: str) -> None:
        """Columns under the names of the first row's keys."""
        if not rows:
            self.stdout.write(empty)
            return
        names = list(rows[0])
        lines = [[name.replace("_", " ").upper() for name in names]]
        lines += [["-" if row[name] in (None, "") else str(row[name]) for name in names] for row in rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
        for line in lines:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())

    def show_json(self, content: object) -> None:
        self.stdout.write(json.dumps(content, indent=2, default=str))


def workspace_named(slug: str) -> Workspace:
    workspace = only(Workspace.objects.filter(slug=slug))
    if workspace is None:
        raise CommandError(f"There is no workspace {slug!r}. `manage.py mash_workspace list` shows those that exist.")
    return workspace
