"""Takes a request for this worker, or says why it must wait (design.md 3, step 5)."""

import logging
import uuid

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from runtime import events, finish, lease
from runtime.cancel import end_cancelled
from runtime.events import NewEvent
from runtime.kinds import STEP_EVENTS, EventKind, Status, WaitReason
from runtime.models import AgentRequest
from workspaces.models import Workspace
from workspaces.scoping import only

logger = logging.getLogger(__name__)

MAX_LOST_LEASES = 3


def claim(request_pk: int, owner: str) -> AgentRequest | None:
    """The request, now running under a lease of `owner` with a new attempt; None when it is not its time, or taken."""
    try:
        with transaction.atomic():
            claimed = _claim(request_pk, owner)
    except IntegrityError:
        # The session's slot was taken in the same moment; what holds it wakes this request at its end.
        logger.info("Request %s lost the race for its session", request_pk, extra={"action": "claim.lost"})
        return None
    if claimed and claimed.status != Status.RUNNING:
        end_cancelled(claimed)
        return None
    return claimed


def _claim(request_pk: int, owner: str) -> AgentRequest | None:
    rows = AgentRequest.rows.filter(pk=request_pk).with_agent()
    agent_request = only(rows.select_for_update(of=("self",), no_key=True, skip_locked=True))
    if agent_request is None:
        return None
    if agent_request.status == Status.RUNNING:
        return _reclaim(agent_request, owner)
    if agent_request.status == Status.PAUSED:
        return _go_on(agent_request, owner)
    if agent_request.status not in {Status.ACCEPTED, Status.WAITING}:
        return None
    if reason := _blocked_by(agent_request):
        _wait(agent_request, reason)
        return None
    _start(agent_request, owner)
    return agent_request


def _blocked_by(agent_request: AgentRequest) -> WaitReason | None:
    """Why the request cannot start now. Order in a session is the order of acceptance."""
    active = Q(status__in=[Status.RUNNING, Status.PAUSED])
    earlier = (
        agent_request.workspace.agent_requests.unfinished()
        .in_session_of(agent_request)
        .filter(Q(pk__lt=agent_request.pk) | active)
    )
    if earlier.exists():
        return WaitReason.SESSION_BUSY
    if _over_limit(agent_request):
        return WaitReason.CONCURRENCY_LIMIT
    return None


def _over_limit(agent_request: AgentRequest) -> bool:
    """Counts what runs, under a lock on the row that holds the limit, so that two workers cannot both take the last slot."""
    workspace, agent = agent_request.workspace, agent_request.agent
    if workspace.max_concurrent_requests is not None:
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        if workspace.agent_requests.filter(status=Status.RUNNING).count() >= workspace.max_concurrent_requests:
            return True
    limit = agent_request.agent_version.typed_definition.max_concurrent_requests
    if limit is None:
        return False
    workspace.agents.select_for_update(no_key=True).get(pk=agent.pk)
    return agent.requests.filter(status=Status.RUNNING).count() >= limit


def _wait(agent_request: AgentRequest, reason: WaitReason) -> None:
    """Says once per reason that the request waits."""
    if agent_request.wait_reason == reason:
        return
    position = (
        agent_request.workspace.agent_requests.unfinished()
        .in_session_of(agent_request)
        .filter(pk__lt=agent_request.pk)
        .count()
    )
    agent_request.workspace.agent_requests.filter(pk=agent_request.pk).move(Status.WAITING, wait_reason=reason)
    waiting = NewEvent(event_type=EventKind.REQUEST_WAITING, payload={"reason": reason, "position": position})
    events.append(agent_request, [waiting])


def _go_on(agent_request: AgentRequest, owner: str) -> AgentRequest | None:
    """Wakes a parked request when something that it waits for has happened; one that was cancelled is ended by the caller."""
    if agent_request.cancel_reason:
        return agent_request
    is_due = agent_request.is_due or (agent_request.wakes_at and agent_request.wakes_at <= timezone.now())
    if not is_due or _over_limit(agent_request):
        return None
    _start(agent_request, owner)
    return agent_request


def _reclaim(agent_request: AgentRequest, owner: str) -> AgentRequest | None:
    """Takes over from a worker that is gone. One that vanished too often without a step is not tried again."""
    gave_up = not agent_request.lease_owner
    expired = AgentRequest.rows.filter(pk=agent_request.pk, lease_expires_at__lt=Now()).exists()
    if not (gave_up or expired or lease.is_dead(agent_request.lease_owner)):
        return None
    if agent_request.cancel_reason:
        _park_for_cancel(agent_request)
        return agent_request
    lost = 0 if gave_up or _has_new_step(agent_request) else agent_request.lost_leases + 1
    if lost >= MAX_LOST_LEASES:
        finish.fail_lost(agent_request)
        return None
    agent_request.lost_leases = lost
    agent_request.was_lost = True
    _start(agent_request, owner)
    return agent_request


def _park_for_cancel(agent_request: AgentRequest) -> None:
    """Takes the request from its lost worker, so that whoever ends it is not fenced off."""
    fresh = {"attempt": agent_request.attempt + 1, "lease_owner": "", "is_due": True}
    agent_request.workspace.agent_requests.filter(pk=agent_request.pk).move(Status.PAUSED, **fresh)
    agent_request.attempt, agent_request.status = agent_request.attempt + 1, Status.PAUSED


def _has_new_step(agent_request: AgentRequest) -> bool:
    return agent_request.events.filter(sequence__gt=agent_request.claimed_sequence, event_type__in=STEP_EVENTS).exists()


def _start(agent_request: AgentRequest, owner: str) -> None:
    """Writes lease, attempt and status, and brings the object up to date with its row."""
    agent_request.trace_id = agent_request.trace_id or uuid.uuid4()
    agent_request.started_at = agent_request.started_at or timezone.now()
    changes = {
        "attempt": agent_request.attempt + 1,
        "lease_owner": owner,
        "claimed_sequence": agent_request.last_sequence,
        "lost_leases": agent_request.lost_leases,
        "trace_id": agent_request.trace_id,
        "started_at": agent_request.started_at,
        "wait_reason": "",
        "pause_reason": "",
        "is_due": False,
        "wakes_at": None,
    }
    agent_request.workspace.agent_requests.filter(pk=agent_request.pk).move(Status.RUNNING, **changes, **lease.terms())
    agent_request.status = Status.RUNNING
    for name, value in changes.items():
        setattr(agent_request, name, value)
