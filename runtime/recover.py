"""Finds the requests that some worker ought to be running and none is (design.md 5)."""

from datetime import timedelta

from django.db.models import Exists, Min, OuterRef, Q
from django.db.models.functions import Now

from runtime import lease
from runtime.kinds import Status, WaitReason
from runtime.models import AgentRequest, AgentRequestQuerySet

# The queue delivers within milliseconds; the sweeper leaves it this much time.
QUEUE_GRACE = timedelta(seconds=2)
# Requests that wait for a slot are woken by what frees it; a few are tried all the same, should that wake-up be lost.
_TRIED_FOR_A_SLOT = 16


def find_runnable(count: int, *, grace: timedelta = timedelta()) -> list[int]:
    """Keys of up to `count` requests to claim, oldest first: lost and due ones, and the first of each idle session.

    Queued requests younger than `grace` are left to the queue.
    """
    keys = _lost(count)
    queued = AgentRequest.rows.queued().filter(accepted_at__lte=Now() - grace)
    # Most of the time there is none, and that is quickly asked.
    if queued.order_by().values("pk")[:1]:
        keys += _ready(queued, count)
    return sorted(keys)[:count]


def _lost(count: int) -> list[int]:
    """Running under a lease that has run out, or whose owner died on this machine, which shows at once; or parked and due."""
    running = AgentRequest.rows.running().order_by()
    owners = running.exclude(lease_owner="").values_list("lease_owner", flat=True).distinct()
    dead = [owner for owner in owners if lease.is_dead(owner)]
    lost = Q(status=Status.RUNNING) & (Q(lease_expires_at__lt=Now()) | Q(lease_owner__in=dead))
    due = Q(status=Status.PAUSED) & (Q(is_due=True) | Q(wakes_at__lte=Now()))
    return list(AgentRequest.rows.unfinished().filter(lost | due).order_by().values_list("pk", flat=True)[:count])


def count_accepted(request_pks: list[int]) -> int:
    """How many of these no worker has looked at yet."""
    return AgentRequest.rows.filter(pk__in=request_pks, status=Status.ACCEPTED).count() if request_pks else 0


def _ready(queued: AgentRequestQuerySet, count: int) -> list[int]:
    waits_for_slot = Q(status=Status.WAITING, wait_reason=WaitReason.CONCURRENCY_LIMIT)
    free = _free_of_session(queued).order_by()
    # One of each agent, so that a long line before one agent does not hide an idle one behind it.
    first_in_line = (
        free.filter(waits_for_slot).values("agent").annotate(first=Min("pk")).values_list("first", flat=True)
    )
    others = free.exclude(waits_for_slot).order_by("pk").values_list("pk", flat=True)
    return [*others[:count], *first_in_line[:_TRIED_FOR_A_SLOT]]


def _free_of_session(rows: AgentRequestQuerySet) -> AgentRequestQuerySet:
    """Without requests that have another one of their session before them."""
    same_session = AgentRequest.rows.unfinished().filter(
        workspace=OuterRef("workspace"), agent=OuterRef("agent"), session_id=OuterRef("session_id")
    )
    before = same_session.filter(Q(pk__lt=OuterRef("pk")) | Q(status__in=[Status.RUNNING, Status.PAUSED]))
    return rows.filter(~Exists(before.exclude(pk=OuterRef("pk"))))
