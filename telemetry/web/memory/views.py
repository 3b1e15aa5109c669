"""Searching what agents remember (web-ui 3.7, contract 10.2)."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse

from agents.memory.search import MAX_LIMIT
from agents.models import Agent
from runtime.api.observability import require_observability
from runtime.errors import AgentNotFound
from telemetry.query.memory_results import ROLES, Search, find
from telemetry.web.visit import Visit, screen
from workspaces.errors import MashError
from workspaces.roles import Scope

DEFAULT_LIMIT = 10
LIMITS = (10, 25, MAX_LIMIT)


@screen("memory", Scope.SESSIONS_READ)
def memory_search(visit: Visit) -> HttpResponse:
    agents = list(visit.workspace.agents.listed().order_by("agent_id").only("workspace", "agent_id", "role"))
    search = _read(visit.request.GET.dict(), agents)
    context: dict[str, Any] = {"search": search, "agents": agents, "limits": LIMITS, "roles": tuple(ROLES)}
    status = 200
    try:
        require_observability()
        if search.text:
            if search.agent_id not in {agent.agent_id for agent in agents}:
                raise AgentNotFound("There is no such agent.")
            context["found"] = find(visit.workspace, search)
    except MashError as error:
        context["error"], status = error, error.status
    context["is_debug"] = visit.request.GET.get("debug") == "1"
    return visit.render("web/memory/page.html", context, partials={"results"}, status=status)


def _read(parameters: Mapping[str, str], agents: Sequence[Agent]) -> Search:
    """Without an agent it is the primary one's memory."""
    chosen = parameters.get("agent") or next((each.agent_id for each in agents if each.role == Agent.Role.PRIMARY), "")
    role, limit = parameters.get("role", ""), parameters.get("limit", "")
    return Search(
        agent_id=chosen or (agents[0].agent_id if agents else ""),
        text=parameters.get("q", "").strip(),
        role=role if role in ROLES else "any",
        session_id=parameters.get("session", "").strip().replace("\x00", "\ufffd"),
        user=parameters.get("user", "").strip().replace("\x00", "\ufffd"),
        limit=min(max(1, int(limit)), MAX_LIMIT) if limit.isdecimal() and len(limit) < 9 else DEFAULT_LIMIT,
    )
