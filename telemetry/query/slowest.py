"""The requests that took longest."""

from collections.abc import Sequence

from runtime.models import AgentRequest
from runtime.models.request import AgentRequestQuerySet
from telemetry.query.measures import MillisecondsBetween
from telemetry.query.requests import for_list


def slowest(rows: AgentRequestQuerySet, *, most: int) -> Sequence[AgentRequest]:
    """Of those that have ended, as rows of a list."""
    longest = (
        rows.filter(finished_at__isnull=False)
        .order_by(MillisecondsBetween("accepted_at", "finished_at").desc(), "-pk")
        .values("pk")[:most]
    )
    found = for_list(rows.filter(pk__in=longest))
    return sorted(found, key=lambda row: row.duration_s or 0, reverse=True)
