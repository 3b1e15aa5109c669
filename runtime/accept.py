"""Takes a message in: once this returns, the request is durable and will reach its end (promise 1)."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.models import Agent
from runtime import events, finish, queue
from runtime.attachments import store
from runtime.attachments.values import Reference, Upload
from runtime.cancel import ask_to_stop
from runtime.errors import AgentDisabled, AgentNotFound, IdempotencyMismatch, QueueFull, SessionBusy
from runtime.events import NewEvent
from runtime.kinds import EventKind, Reason, RequestKind
from runtime.models import AgentRequest, IdempotencyKey
from workspaces.authenticate import Principal
from workspaces.models import Workspace

KEY_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a caller sends to an agent (extensions 3), checked."""

    message: str
    session_id: str
    context: str = ""
    user: str = ""
    multitask: str = "enqueue"
    metadata: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    structured_output: dict[str, Any] | None = None
    rerun_of: int | None = None
    kind: RequestKind = RequestKind.TURN
    attachments: tuple[Upload | Reference, ...] = ()

    def fingerprint(self, agent: Agent) -> str:
        """SHA-256 of agent and content: the same key with another one of these is a mistake."""
        content = json.dumps([agent.pk, asdict(self)], sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Accepted:
    agent_request: AgentRequest
    is_replay: bool = False
    """The key had been used for the same submission: this is the request of then."""


def accept_request(
    principal: Principal, agent: Agent, submission: Submission, *, idempotency_key: str = ""
) -> Accepted:
    """Stores the request with its first event and wakes a worker, all in one transaction."""
    if agent.role in Agent.HIDDEN:
        raise AgentNotFound("There is no such agent.")
    if agent.is_gone:
        raise AgentDisabled(f"The code that defines the agent {agent.agent_id} is not part of this deployment.")
    if not agent.is_enabled or agent.current_version is None:
        raise AgentDisabled(f"The agent {agent.agent_id} is switched off.")
    # Before the request's own transaction, which megabytes would make long.
    submission = replace(submission, attachments=store.keep(principal.workspace, submission.attachments))
    if not idempotency_key:
        return Accepted(_accept(principal, agent, submission))
    fingerprint = submission.fingerprint(agent)
    if earlier := _earlier(principal, idempotency_key, fingerprint):
        return earlier
    try:
        with transaction.atomic():
            agent_request = _accept(principal, agent, submission)
            _keep_key(principal, idempotency_key, fingerprint, agent_request)
    except IntegrityError:
        # The same key came in at the same moment and was first.
        if earlier := _earlier(principal, idempotency_key, fingerprint):
            return earlier
        raise
    return Accepted(agent_request)


def _accept(principal: Principal, agent: Agent, submission: Submission) -> AgentRequest:
    with transaction.atomic(savepoint=False):
        _make_room(principal, agent, submission)
        return insert_request(
            AgentRequest(
                workspace=principal.workspace,
                agent=agent,
                agent_version=agent.current_version,
                session_id=submission.session_id,
                message=submission.message,
                context=submission.context,
                user=submission.user,
                metadata=submission.metadata,
                limits=submission.limits,
                structured_output=submission.structured_output,
                rerun_of_id=submission.rerun_of,
                kind=submission.kind,
                attachments=[entry.as_json() for entry in submission.attachments if isinstance(entry, Reference)],
                created_by=principal.name,
            )
        )


def insert_request(agent_request: AgentRequest) -> AgentRequest:
    """Stores a new request with its first event, and wakes a worker when that commits."""
    now = timezone.now()
    agent_request.accepted_at = agent_request.run_began_at = now
    agent_request.last_sequence = 1
    with transaction.atomic(savepoint=False):
        agent_request.save(force_insert=True)
        store.link(agent_request)
        events.begin_log(agent_request, accepted_event(agent_request))
        queue.enqueue(agent_request)
    return agent_request


def accepted_event(agent_request: AgentRequest) -> NewEvent:
    parent = agent_request.parent
    payload = {
        "workflow_id": f"{agent_request.agent.agent_id}:{agent_request.request_id}",
        "message": agent_request.message,
        "initial_session_id": agent_request.session_id,
        "request_metadata": finish.delegation_metadata(agent_request, parent) if parent else {},
    }
    if agent_request.attachments:
        payload["attachments"] = agent_request.attachments
    return NewEvent(event_type=EventKind.REQUEST_ACCEPTED, key="request.accepted", payload=payload)


def check_room(workspace: Workspace) -> None:
    """Raises `QueueFull` when the workspace has as many unfinished requests as it may."""
    limit = workspace.max_queued_requests
    # An offset instead of a count: it stops at the limit, however many there are.
    # Ordered as the index of unfinished requests is, else SQLite walks the finished ones too.
    unfinished = workspace.agent_requests.unfinished().order_by("agent_id", "session_id", "pk").values("pk")
    if limit == 0 or unfinished[limit - 1 : limit]:
        text = f"The workspace has {limit} unfinished requests; wait for some of them to end."
        raise QueueFull(text, details={"limit": limit, "retry_after_s": 1})


def _make_room(principal: Principal, agent: Agent, submission: Submission) -> None:
    """Refuses what the workspace has no room for, and clears the session if the caller asks for it."""
    workspace = principal.workspace
    check_room(workspace)
    if submission.multitask == "enqueue":
        return
    # One at a time per agent, so that two callers cannot both find the session idle.
    workspace.agents.select_for_update(no_key=True).get(pk=agent.pk)
    session = workspace.agent_requests.unfinished().filter(agent=agent, session_id=submission.session_id)
    for active in session.order_by("pk"):
        if submission.multitask == "reject":
            details = {"request_id": str(active.request_id)}
            raise SessionBusy("The session has an unfinished request.", details=details)
        ask_to_stop(active, reason=Reason.SUPERSEDED, by=principal.name)


def _earlier(principal: Principal, key: str, fingerprint: str) -> Accepted | None:
    keys = principal.workspace.idempotency_keys.filter(principal=principal.name, key=key)
    row = keys.select_related("agent_request__agent").first()
    if row is None or timezone.now() - row.created_at > KEY_LIFETIME:
        return None
    if row.fingerprint != fingerprint:
        raise IdempotencyMismatch("This Idempotency-Key was used with another request.")
    return Accepted(row.agent_request, is_replay=True)


def _keep_key(principal: Principal, key: str, fingerprint: str, agent_request: AgentRequest) -> IdempotencyKey:
    """The key row commits with the request; one that has outlived its day makes way."""
    keys = principal.workspace.idempotency_keys
    keys.filter(principal=principal.name, key=key, created_at__lt=timezone.now() - KEY_LIFETIME).delete()
    return keys.create(
        principal=principal.name,
        key=key,
        fingerprint=fingerprint,
        agent_request=agent_request,
        created_at=agent_request.accepted_at,
    )
