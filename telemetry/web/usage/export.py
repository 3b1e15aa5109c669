"""The report of the usage page as a file for spreadsheets."""

import csv
from collections.abc import Iterable

from django.http import HttpResponse

from runtime.usage.reports import Metric, Span, UsageGroup, UsageOf, largest_groups
from runtime.usage.totals import COUNTED
from telemetry.web.usage.report import By
from workspaces.models import Workspace

MOST_ROWS = 100_000
# A spreadsheet takes what begins so for a formula; names of users and models come from outside.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def usage_file(workspace: Workspace, span: Span, by: By, metric: Metric, of: UsageOf) -> HttpResponse:
    groups = largest_groups(workspace, by, span, metric=metric, limit=MOST_ROWS, of=of)
    first, last = span.days
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="usage-{workspace.slug}-{by}-{first}-{last}.csv"'
    _write(response, groups, by)
    return response


def _write(file: HttpResponse, groups: Iterable[UsageGroup], by: By) -> None:
    names = {"agent": ["agent_id"], "model": ["provider", "model"], "user": ["user"]}[by]
    writer = csv.writer(file)
    writer.writerow([*names, *COUNTED])
    for group in groups:
        told = [_harmless(group.key[name]) for name in names]
        writer.writerow([*told, *(getattr(group.totals, name) for name in COUNTED)])


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
