"""The queue, the workers, and requests that stand still."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Q
from django.db.models.functions import Now

from runtime import cluster
from runtime.doctor.finding import Finding, ok, warn
from runtime.kinds import QUEUED, UNFINISHED, Status, WaitReason
from workspaces.models import Workspace

_LONG_QUEUE = 1000
# The sweeper of any live worker finds a forgotten request within seconds.
_FORGOTTEN_AFTER = timedelta(seconds=30)
_START_A_WORKER = "Start one: `manage.py mash_worker`."


def examine() -> Iterator[Finding]:
    yield _workers()
    if cluster.queue_answers():
        yield _queue()
    yield from _requests()


def _workers() -> Finding:
    count = cluster.count_clusters()
    if count == 0:
        return warn("workers", "none is running: requests are accepted and wait", _START_A_WORKER)
    return ok("workers", f"{count} {'cluster' if count == 1 else 'clusters'} running")


def _queue() -> Finding:
    length = cluster.queue_length()
    if length > _LONG_QUEUE:
        return warn("queue", f"{length} wake-ups wait", "Workers do not keep up: start more of them.")
    return ok("queue", f"{length} wake-ups wait")


def _requests() -> Iterator[Finding]:
    counts = _counts()
    text = f"{counts['unfinished']} unfinished, {counts['running']} of them running"
    yield ok("requests", text)
    if counts["stale"]:
        yield warn("requests", f"{counts['stale']} run under a lease that has expired", _START_A_WORKER)
    if counts["forgotten"]:
        yield warn("requests", f"{counts['forgotten']} wait and nobody takes them", _START_A_WORKER)


def _counts() -> dict[str, int]:
    running = Q(agent_requests__status=Status.RUNNING)
    waits_for_its_turn = Q(agent_requests__wait_reason__in=[WaitReason.SESSION_BUSY, WaitReason.CONCURRENCY_LIMIT])
    long_ago = Now() - _FORGOTTEN_AFTER
    unfinished = Workspace.objects.filter(agent_requests__status__in=UNFINISHED)
    return unfinished.order_by().aggregate(
        unfinished=Count("agent_requests"),
        running=Count("agent_requests", filter=running),
        stale=Count("agent_requests", filter=running & Q(agent_requests__lease_expires_at__lt=long_ago)),
        forgotten=Count(
            "agent_requests",
            filter=Q(agent_requests__status__in=QUEUED, agent_requests__accepted_at__lt=long_ago) & ~waits_for_its_turn,
        ),
    )
