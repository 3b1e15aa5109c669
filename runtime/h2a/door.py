"""Who calls an agent's own surface, and how it says no."""

import json
from typing import Any

from django.http import HttpRequest

from agents.models import Agent
from workspaces.authenticate import Principal, authenticate_by_header
from workspaces.errors import MashError
from workspaces.roles import Scope
from workspaces.scoping import only

# Any page may read the answers: a browser sends no token by itself.
OPEN_TO_ALL = {"Access-Control-Allow-Origin": "*"}


class RouteNotFound(MashError):
    code = "ROUTE_NOT_FOUND"
    status = 404


def enter(request: HttpRequest, agent_id: str, *, scope: Scope) -> tuple[Principal, Agent]:
    """The caller and the agent; a cookie opens nothing here."""
    principal = authenticate_by_header(request)
    principal.require(scope)
    agents = principal.workspace.agents.select_related("current_version", "workspace")
    agent = only(agents.filter(agent_id=agent_id.strip().replace("\x00", "\ufffd")))
    if agent is None:
        raise RouteNotFound("There is no such agent.")
    return principal, agent


def check_route(agent: Agent, named: str) -> None:
    """The id in the rest of the path must be this agent's own."""
    if named.strip() != agent.agent_id:
        raise RouteNotFound(f"This is the agent {agent.agent_id}.")


def error_content(error: MashError) -> dict[str, Any]:
    """An error here has no details."""
    return {"error": {"code": error.code, "message": error.message}}


def error_body(error: MashError) -> bytes:
    return json.dumps(error_content(error)).encode()
