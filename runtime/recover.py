"""Finds the requests that some worker ought to be running and none is (design.md 5)."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from runtime import lease
from runtime.kinds import Status, WaitReason
from runtime.models import AgentRequest, AgentRequestQuerySet

# The queue delivers within milliseconds; the sweeper leaves it this much time.
QUEUE_GRACE = timedelta(seconds=2)
# Requests that wait for a slot are woken by what frees it; a few are tried all the same, should that wake-up be lost.
_TRIED_FOR_A_SLOT = 4


def find_runnable(count: int, *, grace: timedelta = timedelta()) -> list[int]:
    """Keys of up to `count` requests to claim, oldest first: lost ones, and the first of each idle session.

    Queued requests younger than `grace` are left to the queue.
    """
    keys = _lost(count)
    queued = AgentRequest.rows.queued().filter(accepted_at__lte=Now() - grace)
    # Most of the time there is none, and that is quickly asked.
    if queued.order_by().values("pk")[:1]:
        keys += _ready(queued, count)
    return sorted(keys)[:count]


def _lost(count: int) -> list[int]:
    """Running under a lease that has run out, or whose owner died on this machine, which shows at once."""
    running = AgentRequest.rows.running().order_by()
    owners = running.exclude(lease_owner="").values_list("lease_owner", flat=True).distinct()
    dead = [owner for owner in owners if lease.is_dead(owner)]
    lost = running.filter(Q(lease_expires_at__lt=Now()) | Q(lease_owner__in=dead))
    return list(lost.values_list("pk", flat=True)[:count])


def _ready(queued: AgentRequestQuerySet, count: int) -> list[int]:
    waits_for_slot = Q(status=Status.WAITING, wait_reason=WaitReason.CONCURRENCY_LIMIT)
    free = _free_of_session(queued).order_by("pk").values_list("pk", flat=True)
    return [*free.exclude(waits_for_slot)[:count], *free.filter(waits_for_slot)[:_TRIED_FOR_A_SLOT]]


def _free_of_session(rows: AgentRequestQuerySet) -> AgentRequestQuerySet:
    """Without requests that have another one of their session before them."""
    same_session = AgentRequest.rows.unfinished().filter(
        workspace=OuterRef("workspace"), agent=OuterRef("agent"), session_id=OuterRef("session_id")
    )
    before = same_session.filter(Q(pk__lt=OuterRef("pk")) | Q(status__in=[Status.RUNNING, Status.PAUSED]))
    return rows.filter(~Exists(before.exclude(pk=OuterRef("pk"))))
