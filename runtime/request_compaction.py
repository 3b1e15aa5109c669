"""Asks for a session to be summed up (contract 2.2.7): an ordinary request, which takes its turn after the session's others."""

from agents.models import Agent
from runtime.accept import Submission, accept_request
from runtime.kinds import RequestKind
from runtime.models import AgentRequest
from workspaces.authenticate import Principal


def request_compaction(
    principal: Principal, agent: Agent, session_id: str, *, reason: str = "manual", tokens_after: int = 0
) -> AgentRequest:
    """The request; `tokens_after` is what the session's total starts again from."""
    submission = Submission(
        message=f"[summary checkpoint:{reason}]",
        session_id=session_id,
        metadata={"reason": reason, "session_total_tokens_reset": tokens_after},
        kind=RequestKind.COMPACTION,
    )
    return accept_request(principal, agent, submission).agent_request
