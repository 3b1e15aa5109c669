"""A little history of a workspace, so that figures can be counted by hand."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from agents.models import Agent
from runtime.kinds import Status
from runtime.models import AgentRequest
from tests.factories import AgentRequestFactory


def past_request(agent: Agent, at: datetime, *, ms: int | None = 1000, error: str = "", **row: Any) -> AgentRequest:
    """Accepted then; it ended after so many milliseconds, in error if one is given, or not at all."""
    ended = {
        "status": Status.FAILED if error else Status.COMPLETED,
        "finished_at": at + timedelta(milliseconds=ms or 0),
    }
    failed = {"error": {"error": error, "error_code": "provider_error"}} if error else {}
    used = {"input_tokens": 100, "output_tokens": 20, "cost_usd": Decimal("0.5"), "model": "haiku", "model_calls": 1}
    return AgentRequestFactory.create(
        workspace=agent.workspace,
        agent=agent,
        accepted_at=at,
        **{**used, **({} if ms is None else ended), **failed, **row},
    )
