"""How a workspace stands at this moment, in one statement."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db.models import IntegerField, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from runtime.kinds import QUEUED, Status
from telemetry.query.ranges import ALWAYS, TimeRange
from telemetry.query.requests import RequestFilter
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    running: int
    """Stalled ones among them."""
    queued: int
    questions: int
    """What agents ask people and nobody has answered."""
    failed: int
    """Accepted within the last hour."""
    stalled: int
    cursor: int
    """The newest event's id."""


def present(workspace: Workspace, which: RequestFilter) -> Present:
    now = timezone.now()
    requests = replace(which, span=ALWAYS).apply(workspace)
    lately = replace(which, span=TimeRange(since=now - timedelta(hours=1), until=None)).apply(workspace)
    unfinished = requests.unfinished()
    counted = {
        "running": unfinished.running(),
        "queued": unfinished.filter(status__in=QUEUED),
        "questions": workspace.interactions.filter(state="open"),
        "failed": lately.fallen().filter(status=Status.FAILED),
        "stalled": unfinished.running().filter(lease_expires_at__lt=now),
    }
    newest = workspace.events.order_by("-id").values("id")[:1]
    standing: Any = Workspace.objects.filter(pk=workspace.pk).values(
        cursor=Coalesce(Subquery(newest), 0),
        **{name: _Count(rows.order_by().values("pk")) for name, rows in counted.items()},
    )
    return Present(**standing.get())


class _Count(Subquery):
    """How many rows a query has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()
