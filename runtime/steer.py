"""What people do to a request from its page, whichever page that is: each offered where it makes sense, and audited."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from runtime.cancel import cancel_request
from runtime.kinds import FALLEN, Reason, RequestKind
from runtime.models import AgentRequest
from runtime.rerun import rerun_request
from runtime.resume import resume_request
from workspaces import audit
from workspaces.authenticate import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    name: str
    label: str
    explanation: str
    is_offered: Callable[[AgentRequest], bool]
    perform: Callable[[Principal, AgentRequest], AgentRequest]
    """The request to look at afterwards."""


def offered_verbs(agent_request: AgentRequest) -> list[Verb]:
    """What may be done to the request as it stands."""
    return [verb for verb in VERBS.values() if verb.is_offered(agent_request)]


def _cancel(principal: Principal, agent_request: AgentRequest) -> AgentRequest:
    # Not in one transaction: a family of requests ends in several.
    _record(principal, agent_request, "request.cancelled")
    cancel_request(agent_request, reason=Reason.CANCELLED, by=principal.name)
    return agent_request


def _resume(principal: Principal, agent_request: AgentRequest) -> AgentRequest:
    with transaction.atomic():
        _record(principal, agent_request, "request.resumed")
        return resume_request(agent_request, by=principal.name)


def _rerun(principal: Principal, agent_request: AgentRequest) -> AgentRequest:
    with transaction.atomic():
        _record(principal, agent_request, "request.rerun")
        return rerun_request(principal, agent_request)


def _record(principal: Principal, agent_request: AgentRequest, action: str) -> None:
    audit.record(principal.workspace, actor=principal.name, action=action, target=str(agent_request.request_id))


VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            name="cancel",
            label="Cancel",
            explanation="It stops at once, or within two seconds if it runs, and so does whatever it has delegated. "
            "It can be resumed later.",
            is_offered=lambda row: not row.is_terminal,
            perform=_cancel,
        ),
        Verb(
            name="resume",
            label="Resume",
            explanation="It goes on where its log ends, with the same id and trace: finished steps are not repeated.",
            is_offered=lambda row: row.status in FALLEN,
            perform=_resume,
        ),
        Verb(
            name="rerun",
            label="Rerun",
            explanation="Its message is sent again as a new request, which reads the session as it is today.",
            is_offered=lambda row: row.is_terminal and row.kind == RequestKind.TURN,
            perform=_rerun,
        ),
    )
}
