"""Searching an agent's memory from outside (contract 2.2.15)."""

import logging

from django.db import Error
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.memory.history import find_session
from agents.memory.ranking import Weights
from agents.memory.search import MAX_LIMIT, SearchHit, search_turns
from agents.memory.search_index import SearchScope
from runtime.api.lookup import find_agent
from runtime.api.memory_shapes import SearchResults
from runtime.api.observability import ObservabilityView
from runtime.api.responses import enveloped
from runtime.errors import SearchFailed, SearchUnavailable
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import data
from workspaces.api.pagination import whole_number
from workspaces.errors import MashError
from workspaces.roles import Scope

logger = logging.getLogger(__name__)

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
        hits = _search(request, agent.agent_id, query, session_id, limit)
        return data(
            {
                "results": [hit.as_json() for hit in hits],
                "app_id": agent.agent_id,
                "session_id": session_id,
                "query": query,
                "limit": limit,
            }
        )


def _search(request: Request, agent_id: str, query: str, session_id: str | None, limit: int) -> list[SearchHit]:
    workspace = principal_of(request).workspace
    try:
        session = find_session(workspace, agent_id=agent_id, session_id=session_id) if session_id else None
        scope = SearchScope(workspace=workspace, agent_id=agent_id, session=session)
        hits = search_turns(scope, query, limit=limit, weights=Weights(semantic=0.0, keyword=1.0))
    except MashError:
        raise
    except Error as error:
        raise SearchUnavailable("Memory cannot be searched right now; try again.") from error
    except Exception as error:
        logger.exception("A memory search failed", extra={"action": "search.failed"})
        raise SearchFailed("The search failed; the server's log has the details.") from error
    # The query is checked all the same; nothing is found in a session that does not exist.
    return [] if session_id and session is None else hits
