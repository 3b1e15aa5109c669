"""How many requests match: over time in one statement, and by what they have in common among the newest of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db.models import Count, Q, Value
from django.utils import timezone

from runtime.kinds import Status
from telemetry.query.buckets import Buckets
from telemetry.query.measures import UnixSeconds
from telemetry.query.requests import RequestFilter
from workspaces.models import Workspace

BUCKETS = 60
MOST_COUNTED = 10_000
_MOST_VALUES = 10
_FACETS = {"status": "status", "agent": "agent__agent_id", "model": "model", "user": "user"}


@dataclass(frozen=True, slots=True)
class Histogram:
    buckets: Buckets
    counts: Mapping[int, tuple[int, int]]
    """By bucket: all requests, and the failed ones among them."""
    at: datetime
    """When they were counted."""

    @property
    def total(self) -> int:
        return sum(count for count, _ in self.counts.values())

    @property
    def failed(self) -> int:
        return sum(failed for _, failed in self.counts.values())


def histogram(workspace: Workspace, which: RequestFilter) -> Histogram:
    rows = which.apply(workspace).order_by()
    since, until = which.span.ends
    if which.span.since is None:
        # The first of those that match, so that nothing is left out
        since = rows.order_by("accepted_at").values_list("accepted_at", flat=True).first() or since
    buckets = Buckets.of(since, until, timezone.get_current_timezone(), most=BUCKETS)
    number = (UnixSeconds("accepted_at") + Value(buckets.offset_s)) / Value(buckets.step_s)
    found = rows.values_list(number).annotate(requests=Count("pk"), failed=Count("pk", filter=Q(status=Status.FAILED)))
    counts = {place: (count, failed) for place, count, failed in found}
    return Histogram(buckets, counts, at=timezone.now())


@dataclass(frozen=True, slots=True)
class Facets:
    values: Mapping[str, Sequence[tuple[str, int]]]
    """By name of the parameter: the most frequent values, with how many requests have them."""
    counted: int
    is_capped: bool


def facets(workspace: Workspace, which: RequestFilter) -> Facets:
    """Counted here and not by the database: one statement for all of them, over no more rows than are worth waiting for."""
    newest = which.apply(workspace).order_by("-accepted_at", "-pk")
    rows = list(newest.values_list(*_FACETS.values())[: MOST_COUNTED + 1])
    values = {
        name: Counter(value for value in islice(column, MOST_COUNTED) if value).most_common(_MOST_VALUES)
        for name, column in zip(_FACETS, zip(*rows, strict=True), strict=False)
    }
    return Facets(values, min(len(rows), MOST_COUNTED), len(rows) > MOST_COUNTED)
