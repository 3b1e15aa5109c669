"""From the query string of a telemetry route to the rows that it is about, always through the caller's workspace."""

from rest_framework.request import Request

from agents.models import Agent
from runtime.api.lookup import clean_id, find_agent
from runtime.traces.serialise import EventFilter
from workspaces.api.envelope import InvalidBody


def required(request: Request, name: str) -> str:
    """A query parameter that must be there (422) and must not be blank (400)."""
    text = request.query_params.get(name)
    if text is None:
        raise InvalidBody([{"type": "missing", "loc": ["query", name], "msg": "Field required"}])
    return clean_id(text, name)


def optional(request: Request, name: str) -> str | None:
    """A query parameter that may be left out; blank counts as absent."""
    return request.query_params.get(name, "").strip().replace("\x00", "\ufffd") or None


def agent_of(request: Request) -> Agent:
    return find_agent(request, required(request, "agent_id"))


def trace_filter(request: Request) -> EventFilter:
    """One trace of one session of one agent, all three named."""
    return EventFilter(
        agent_id=agent_of(request).agent_id,
        session_id=required(request, "session_id"),
        trace_id=required(request, "trace_id"),
    )
