"""Searching an agent's memory from outside (contract 2.2.15)."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.memory.search import MAX_LIMIT
from runtime.api.lookup import find_agent
from runtime.api.memory_shapes import SearchResults
from runtime.api.observability import ObservabilityView
from runtime.api.responses import enveloped
from runtime.search_memory import search_memory
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import data
from workspaces.api.pagination import whole_number
from workspaces.errors import MashError
from workspaces.roles import Scope

DEFAULT_LIMIT = 10
_PARAMETERS = [
    OpenApiParameter(
        "q", OpenApiTypes.STR, required=True, description="`@user: words` or `@agent: words`, all to match."
    ),
    OpenApiParameter("app_id", OpenApiTypes.STR, required=True, description="The agent's id."),
    OpenApiParameter("session_id", OpenApiTypes.STR, description="Only this session."),
    OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 50, by default 10."),
]


class MissingQuery(MashError):
    code = "MISSING_QUERY"
    status = 400


class MissingAppId(MashError):
    code = "MISSING_APP_ID"
    status = 400


class MemorySearchView(ObservabilityView):
    required_scopes = {"GET": Scope.TELEMETRY_READ}

    @extend_schema(operation_id="search_memory", parameters=_PARAMETERS, responses=enveloped(SearchResults))
    def get(self, request: Request) -> Response:
        """Search an agent's turns by the words of their messages (`@user:`) or of their answers (`@agent:`)."""
        query, app_id = (request.query_params.get(name, "").strip() for name in ("q", "app_id"))
        if not query:
            raise MissingQuery("Say what to search for.", details={"param": "q"})
        if not app_id:
            raise MissingAppId("Name the agent whose memory is to be searched.", details={"param": "app_id"})
        agent = find_agent(request, app_id)
        session_id = request.query_params.get("session_id", "").strip().replace("\x00", "\ufffd") or None
        limit = min(max(1, whole_number(request, "limit", default=DEFAULT_LIMIT)), MAX_LIMIT)
        hits = search_memory(
            principal_of(request).workspace, agent_id=agent.agent_id, query=query, session_id=session_id, limit=limit
        )
        return data(
            {
                "results": [hit.as_json() for hit in hits],
                "app_id": agent.agent_id,
                "session_id": session_id,
                "query": query,
                "limit": limit,
            }
        )
