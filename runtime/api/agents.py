"""Agents and the deployment's health (contract 2.2.1, 2.2.2)."""

import uuid
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents.describe import descriptor, session_info
from agents.models import Agent
from runtime.api.lookup import find_agent
from runtime.api.responses import AgentDetail, AgentList, Health, enveloped
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import data
from workspaces.models import Workspace
from workspaces.roles import Scope


def listed_agents(workspace: Workspace) -> list[Agent]:
    return list(workspace.agents.offered().select_related("current_version"))


class HealthView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ}

    @extend_schema(operation_id="health", responses=enveloped(Health))
    def get(self, request: Request) -> Response:
        """Tell the workspace's agents and whether the deployment answers."""
        workspace = principal_of(request).workspace
        agents = listed_agents(workspace)
        primary = _primary(agents)
        return data(
            {
                "status": "ok",
                "service": "mash-api",
                "api_version": "v1",
                "deployment": {
                    "primary_agent_id": primary.agent_id if primary else None,
                    "agents": [descriptor(agent) for agent in agents],
                },
                "primary_agent": default_session_info(primary, agents) if primary else None,
                "observability": {
                    "enabled": settings.MASH_OBSERVABILITY_ENABLED,
                    "memory": {"search_available": settings.MASH_OBSERVABILITY_ENABLED, "default_limit": 10},
                },
            }
        )


class AgentListView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ}

    @extend_schema(operation_id="list_agents", responses=enveloped(AgentList))
    def get(self, request: Request) -> Response:
        """List the workspace's enabled agents in order of registration."""
        agents = listed_agents(principal_of(request).workspace)
        primary = _primary(agents)
        return data(
            {
                "agents": [descriptor(agent) for agent in agents],
                "primary_agent_id": primary.agent_id if primary else None,
            }
        )


class AgentView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ}

    @extend_schema(operation_id="get_agent", responses=enveloped(AgentDetail))
    def get(self, request: Request, agent_id: str) -> Response:
        """Describe one agent and its default session."""
        agent = find_agent(request, agent_id)
        agents = listed_agents(principal_of(request).workspace)
        return data({"agent": descriptor(agent), "session": default_session_info(agent, agents)})


def default_session_info(agent: Agent, agents: list[Agent]) -> dict[str, Any]:
    """About a session that nobody talks in: its id is fixed by host and agent, so that it survives restarts."""
    session_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"mash.default.session:{agent.workspace.host_id}:{agent.agent_id}"))
    return session_info(agent, agents, session_id=session_id)


def _primary(agents: list[Agent]) -> Agent | None:
    return next((agent for agent in agents if agent.role == Agent.Role.PRIMARY), None)
