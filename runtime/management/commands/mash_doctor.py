"""`manage.py mash_doctor`: what is configured, what can be reached, and what is wrong."""

import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from typing_extensions import override

from runtime.doctor import Finding, Level, examine
from workspaces.management.command import MashCommand

_EXIT_CODES = {Level.OK: 0, Level.WARN: 1, Level.FAIL: 2}


class Command(MashCommand):
    help = """Explain what is configured, what can be reached and what is wrong. No secret is shown.

It judges by its own environment: run it with the variables (keys, MASH_HOST_APP, URLs) that web and worker have.

Examples:
  manage.py mash_doctor
  manage.py mash_doctor --json | jq '.findings[] | select(.level != "ok")'

Exit codes: 0 all is well, 1 something deserves a look, 2 something does not work."""
    # It must speak just when the rest of the site has something wrong.
    requires_system_checks = []

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine()
        worst = max((finding.level for finding in findings), key=_EXIT_CODES.__getitem__)
        if options["json"]:
            self.show_json({"level": worst, "findings": [asdict(finding) for finding in findings]})
        else:
            self._show(findings)
        sys.exit(_EXIT_CODES[worst])

    def _show(self, findings: list[Finding]) -> None:
        paint = {Level.OK: self.style.SUCCESS, Level.WARN: self.style.WARNING, Level.FAIL: self.style.ERROR}
        width = max(len(finding.subject) for finding in findings)
        for finding in findings:
            label = paint[finding.level](f"{finding.level:4}")
            self.stdout.write(f"{label}  {finding.subject.ljust(width)}  {finding.text}")
            if finding.advice:
                self.stdout.write(f"{'':{width + 8}}> {finding.advice}")
