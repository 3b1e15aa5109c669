"""Lets a request that was stopped go on from where its log ends: same id, same trace (extensions 4)."""

from django.db import transaction
from django.utils import timezone

from runtime import events, queue
from runtime.errors import NotResumable, RequestStale, SessionBusy, SessionErased
from runtime.events import NewEvent
from runtime.kinds import FALLEN, EventKind, Reason, Status
from runtime.models import AgentRequest

# These ends follow from what the log says, so another run would come to the same.
_FINAL = (Reason.TRUNCATED, Reason.INVALID_OUTPUT)


def resume_request(agent_request: AgentRequest, *, by: str) -> AgentRequest:
    """The request, accepted again. Raises `NotResumable`, `RequestStale` or `SessionBusy`."""
    workspace = agent_request.workspace
    with transaction.atomic():
        rows = workspace.agent_requests.filter(pk=agent_request.pk)
        current = rows.with_agent().select_for_update(of=("self",), no_key=True).get()
        _check(current)
        changes = {
            "reason": "",
            "error": None,
            "finished_at": None,
            "cancel_reason": "",
            "cancelled_by": "",
            "wait_reason": "",
            "lost_leases": 0,
            "run": current.run + 1,
            "run_began_at": timezone.now(),
        }
        rows.move(Status.ACCEPTED, **changes)
        current.status = Status.ACCEPTED
        for name, value in changes.items():
            setattr(current, name, value)
        resumed = NewEvent(event_type=EventKind.REQUEST_RESUMED, payload={"attempt": current.attempt + 1, "by": by})
        events.append(current, [resumed])
        queue.enqueue(current)
    return current


def _check(agent_request: AgentRequest) -> None:
    if agent_request.erased_at:
        raise SessionErased("The request was erased; there is nothing left to go on with.")
    if agent_request.status not in FALLEN:
        raise NotResumable(
            f"Only a request that failed or was cancelled can be resumed; this one is {agent_request.status}."
        )
    if agent_request.reason in _FINAL:
        raise NotResumable("The request would end the same way again; rerun it instead.")
    requests = agent_request.workspace.agent_requests
    for later in requests.unfinished().in_session_of(agent_request).filter(pk__gt=agent_request.pk)[:1]:
        raise SessionBusy("The session is busy with a newer request.", details={"request_id": str(later.request_id)})
    since = agent_request.started_at
    turns = agent_request.workspace.turns.filter(
        session__agent_id=agent_request.agent.agent_id, session__session_id=agent_request.session_id
    )
    if since and turns.filter(created_at__gt=since).exists():
        raise RequestStale("The session has a newer turn; rerun the request instead.")
