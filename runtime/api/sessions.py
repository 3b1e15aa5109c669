"""Sessions, their totals and their history (contract 2.2.4 to 2.2.6)."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents.describe import session_info
from agents.memory.models import Session
from runtime.api.agents import default_session_info, listed_agents
from runtime.api.lookup import clean_id, find_agent
from runtime.api.memory_shapes import ErasedSession
from runtime.api.parameters import LIMIT
from runtime.api.responses import History, SessionInfo, SessionList, enveloped
from runtime.erase import erase_session
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import data
from workspaces.api.pagination import whole_number
from workspaces.roles import Scope

MAX_SESSIONS = 1000


class SessionListView(APIView):
    required_scopes = {"GET": Scope.SESSIONS_READ}

    @extend_schema(operation_id="list_sessions", parameters=[LIMIT], responses=enveloped(SessionList))
    def get(self, request: Request, agent_id: str) -> Response:
        """List the agent's sessions, latest activity first; `limit` up to 1000, which is also the default."""
        agent = find_agent(request, agent_id)
        limit = min(whole_number(request, "limit", default=MAX_SESSIONS, minimum=1), MAX_SESSIONS)
        sessions = principal_of(request).workspace.sessions.filter(agent_id=agent.agent_id)
        rows = sessions.order_by("-last_activity_at", "session_id")[:limit]
        return data({"sessions": [_row(session) for session in rows]})


class SessionView(APIView):
    required_scopes = {"GET": Scope.SESSIONS_READ, "DELETE": Scope.SESSIONS_WRITE}

    @extend_schema(operation_id="get_session", responses=enveloped(SessionInfo))
    def get(self, request: Request, agent_id: str, session_id: str) -> Response:
        """Tell a session's model, limits and token total; an unknown session has none, and a blank id means the default."""
        agent = find_agent(request, agent_id)
        agents = listed_agents(principal_of(request).workspace)
        if not session_id.strip():
            return data(default_session_info(agent, agents))
        return data(session_info(agent, agents, session_id=clean_id(session_id, "session_id")))

    @extend_schema(operation_id="erase_session", responses={200: enveloped(ErasedSession)})
    def delete(self, request: Request, agent_id: str, session_id: str) -> Response:
        """Erase what was said in a session and told to its subagents; the log keeps its lines, emptied."""
        agent = find_agent(request, agent_id)
        cleaned = clean_id(session_id, "session_id")
        erased = erase_session(principal_of(request), agent, cleaned)
        return data({"session_id": cleaned, "erased": erased})


class HistoryView(APIView):
    required_scopes = {"GET": Scope.SESSIONS_READ}

    @extend_schema(operation_id="get_history", parameters=[LIMIT], responses=enveloped(History))
    def get(self, request: Request, agent_id: str, session_id: str) -> Response:
        """List a session's turns, oldest first; `limit=n` gives the newest n."""
        agent = find_agent(request, agent_id)
        turns = principal_of(request).workspace.turns.filter(
            session__agent_id=agent.agent_id, session__session_id=session_id.replace("\x00", "\ufffd")
        )
        if request.query_params.get("limit", "").strip():
            newest = turns.order_by("-id")[: max(0, whole_number(request, "limit", default=0))]
            return data({"turns": [turn.as_json() for turn in reversed(newest)]})
        return data({"turns": [turn.as_json() for turn in turns.order_by("id")]})


def _row(session: Session) -> dict[str, object]:
    return {
        "session_id": session.session_id,
        "turn_count": session.turn_count,
        "last_activity_at": session.last_activity_at.timestamp(),
        "session_total_tokens": session.total_tokens,
    }
