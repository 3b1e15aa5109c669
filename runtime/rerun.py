"""Sends a request's message again: a new request that reads today's history (extensions 4)."""

from runtime.accept import Submission, accept_request
from runtime.attachments.values import Reference
from runtime.errors import SessionErased
from runtime.kinds import RequestKind
from runtime.models import AgentRequest
from workspaces.authenticate import Principal


def rerun_request(principal: Principal, agent_request: AgentRequest) -> AgentRequest:
    """A new request of the same agent and session, with everything that came with the first one."""
    if agent_request.erased_at:
        raise SessionErased("The request was erased; there is nothing left to send again.")
    submission = Submission(
        message=agent_request.message,
        session_id=agent_request.session_id,
        context=agent_request.context,
        user=agent_request.user,
        metadata=agent_request.metadata,
        limits=agent_request.limits,
        structured_output=agent_request.structured_output,
        rerun_of=agent_request.pk,
        kind=RequestKind(agent_request.kind),
        attachments=tuple(Reference.from_json(entry) for entry in agent_request.attachments),
    )
    return accept_request(principal, agent_request.agent, submission).agent_request
