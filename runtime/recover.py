"""Finds the requests that some worker ought to be running and none is (design.md 5)."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from runtime import lease
from runtime.kinds import QUEUED, Status, WaitReason
from runtime.models import AgentRequest, AgentRequestQuerySet

# The queue delivers within milliseconds; the sweeper leaves it this much time.
QUEUE_GRACE = timedelta(seconds=2)
# Requests that wait for a slot are woken by what frees it; a few are tried all the same, should that wake-up be lost.
_TRIED_FOR_A_SLOT = 4


def find_runnable(count: int, *, grace: timedelta = timedelta()) -> list[int]:
    """Keys of up to `count` requests to claim, oldest first: lost ones, and the first of each idle session.

    Queued requests younger than `grace` are left to the queue.
    """
    ready = _lost() | Q(status__in=QUEUED, accepted_at__lte=Now() - grace)
    waits_for_slot = Q(status=Status.WAITING, wait_reason=WaitReason.CONCURRENCY_LIMIT)
    free = _free_of_session(AgentRequest.rows.unfinished().filter(ready))
    keys = list(free.exclude(waits_for_slot).order_by("pk").values_list("pk", flat=True)[:count])
    keys += free.filter(waits_for_slot).order_by("pk").values_list("pk", flat=True)[:_TRIED_FOR_A_SLOT]
    return sorted(keys)[:count]


def _lost() -> Q:
    """Running under a lease that has run out, or whose owner died on this machine, which shows at once."""
    owners = AgentRequest.rows.running().exclude(lease_owner="").order_by().values_list("lease_owner", flat=True)
    dead = [owner for owner in owners.distinct() if lease.is_dead(owner)]
    return Q(status=Status.RUNNING) & (Q(lease_expires_at__lt=Now()) | Q(lease_owner__in=dead))


def _free_of_session(rows: AgentRequestQuerySet) -> AgentRequestQuerySet:
    """Without requests that have another one of their session before them."""
    same_session = AgentRequest.rows.unfinished().filter(
        workspace=OuterRef("workspace"), agent=OuterRef("agent"), session_id=OuterRef("session_id")
    )
    before = same_session.filter(Q(pk__lt=OuterRef("pk")) | Q(status__in=[Status.RUNNING, Status.PAUSED]))
    return rows.filter(~Exists(before.exclude(pk=OuterRef("pk"))))
