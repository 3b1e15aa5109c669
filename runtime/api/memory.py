"""What may be done with a session's memory: read its signals, compact, fork and erase it (contract 2.2.7, 2.2.8, extensions 4)."""

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents.catalogue import load_apps
from agents.signals import get_signal_definitions
from runtime.api.lookup import clean_id, find_agent
from runtime.api.memory_shapes import (
    CompactBody,
    CompactedSession,
    CompactionAccepted,
    ForkBody,
    ForkedSession,
    SessionSignals,
)
from runtime.api.parameters import LIMIT
from runtime.api.responses import enveloped
from runtime.fork import fork_session
from runtime.request_compaction import request_compaction
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import InvalidRequest, data
from workspaces.api.pagination import whole_number
from workspaces.api.serializers import read_body
from workspaces.roles import Scope

MAX_TURNS = 1000
MAX_SESSION_ID = 255


class SignalsView(APIView):
    required_scopes = {"GET": Scope.SESSIONS_READ}

    @extend_schema(operation_id="get_signals", parameters=[LIMIT], responses=enveloped(SessionSignals))
    def get(self, request: Request, agent_id: str, session_id: str) -> Response:
        """List the signals of a session's turns, oldest first, with what they mean; `limit=n` gives the newest n."""
        agent = find_agent(request, agent_id)
        load_apps()
        cleaned = clean_id(session_id, "session_id")
        turns = principal_of(request).workspace.turns.filter(
            session__agent_id=agent.agent_id, session__session_id=cleaned
        )
        limit = max(0, whole_number(request, "limit", default=MAX_TURNS))
        newest = turns.order_by("-id").only("turn_id", "created_at", "signals")[: min(limit, MAX_TURNS)]
        rows = [
            {"turn_id": str(turn.turn_id), "created_at": turn.created_at.timestamp(), "signals": turn.signals}
            for turn in reversed(newest)
        ]
        return data(
            {
                "agent_id": agent.agent_id,
                "session_id": cleaned,
                "definitions": get_signal_definitions(),
                "turns": rows,
            }
        )


class CompactView(APIView):
    required_scopes = {"POST": Scope.SESSIONS_WRITE}

    @extend_schema(
        operation_id="compact_session",
        request=CompactBody,
        responses={200: enveloped(CompactedSession), 202: enveloped(CompactionAccepted)},
    )
    def post(self, request: Request, agent_id: str, session_id: str) -> Response:
        """Sum the session up, in its turn after the session's other requests. Waits up to a minute, then answers 202."""
        agent = find_agent(request, agent_id)
        asked = read_body(request, CompactBody)
        agent_request = request_compaction(
            principal_of(request),
            agent,
            _usable_id(session_id),
            reason=asked["reason"],
            tokens_after=asked["session_total_tokens_reset"],
        )
        # `runtime.wait` holds this back and answers the end.
        answer = {"request_id": str(agent_request.request_id), "status": agent_request.status}
        return data(answer, status=202)


class ForkView(APIView):
    required_scopes = {"POST": Scope.SESSIONS_WRITE}

    @extend_schema(operation_id="fork_session", request=ForkBody, responses=enveloped(ForkedSession))
    def post(self, request: Request, agent_id: str, session_id: str) -> Response:
        """Begin a new session with a copy of this one's turns, all or those up to `after_turn_id`."""
        agent = find_agent(request, agent_id)
        asked = read_body(request, ForkBody)
        origin = clean_id(session_id, "session_id")
        fork_id = _usable_id(asked["session_id"]) if "session_id" in asked else str(uuid.uuid4())
        fork = fork_session(
            principal_of(request), agent, origin, after_turn_id=asked.get("after_turn_id"), fork_id=fork_id
        )
        return data(
            {
                "session_id": fork.session_id,
                "forked_from": origin,
                "turn_count": fork.turn_count,
                "session_total_tokens": fork.total_tokens,
            }
        )


def _usable_id(text: str) -> str:
    """An id that a session may be given."""
    cleaned = clean_id(text, "session_id")
    if len(cleaned) > MAX_SESSION_ID:
        raise InvalidRequest(f"session_id has at most {MAX_SESSION_ID} characters.", details={"param": "session_id"})
    return cleaned
