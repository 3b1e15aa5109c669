"""From ids in a path to rows, always through the caller's workspace."""

import uuid

from rest_framework.request import Request

from agents.models import Agent
from runtime.errors import AgentNotFound, RequestNotFound
from runtime.models import AgentRequest
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import InvalidRequest
from workspaces.scoping import only


def find_agent(request: Request, agent_id: str) -> Agent:
    agents = principal_of(request).workspace.agents.select_related("current_version")
    agent = only(agents.filter(agent_id=clean_id(agent_id, "agent_id")))
    if agent is None:
        raise AgentNotFound("There is no such agent.")
    return agent


def find_request(request: Request, agent_id: str, request_id: uuid.UUID) -> AgentRequest:
    rows = principal_of(request).workspace.agent_requests.with_relatives()
    agent_request = only(rows.filter(request_id=request_id, agent__agent_id=clean_id(agent_id, "agent_id")))
    if agent_request is None:
        raise RequestNotFound("There is no such request.")
    return agent_request


def find_by_trace(request: Request, agent_id: str, trace_id: uuid.UUID) -> AgentRequest:
    rows = principal_of(request).workspace.agent_requests.with_relatives()
    agent_request = only(rows.filter(trace_id=trace_id, agent__agent_id=clean_id(agent_id, "agent_id")))
    if agent_request is None:
        raise RequestNotFound("There is no request with such a trace.")
    return agent_request


def clean_id(text: str, name: str) -> str:
    """A trimmed id; `InvalidRequest` for a blank one, and a NUL, which no id has, matches nothing."""
    trimmed = text.strip().replace("\x00", "\ufffd")
    if not trimmed:
        raise InvalidRequest(f"{name} must not be blank.", details={"param": name})
    return trimmed
