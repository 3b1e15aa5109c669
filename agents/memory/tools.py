"""The two memory tools that code agents get by themselves: find earlier turns, and read them whole (contract 5.11)."""

import uuid
from typing import Any

from typing_extensions import override

from agents.memory.query import COLUMNS, parse_query
from agents.memory.ranking import Weights
from agents.memory.search import MAX_LIMIT, SearchHit, search_turns
from agents.memory.search_index import SearchScope
from agents.memory.tool_room import MemoryTool, ToolRoom
from agents.tools.base import Tool

DEFAULT_LIMIT = 10
MAX_PAIRS = 20


class SearchConversations(MemoryTool):
    name = "search_conversations"
    description = """Search earlier turns of your conversations by words; a turn is found when it holds all of them.
Begin the query with @user: to search what the user said, or with @agent: to search your own answers; without either, both
are searched. Results have a preview; get_full_turn_message gives the whole text."""
    parameters = {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "The words to find, such as: @user: invoice march"},
            "limit": {"type": "integer", "description": f"How many results, at most {MAX_LIMIT}. Default 10."},
            "scope": {
                "type": "string",
                "enum": ["session", "app"],
                "description": "session (default): this conversation; app: all of them.",
            },
        },
        "required": ["query"],
    }

    @override
    def answer(self, args: dict[str, Any], room: ToolRoom) -> Any:
        query, limit = args["query"].strip(), int(args.get("limit", DEFAULT_LIMIT))
        scope = args.get("scope", "session")
        is_prefixed = query.lower().startswith(tuple(f"@{name}:" for name in COLUMNS))
        queries = [query] if is_prefixed else [f"@{name}: {query}" for name in COLUMNS]
        context = room.context
        return {
            "query": query,
            "effective_queries": queries,
            "scope": scope,
            "app_id": context.agent_id,
            "session_id": context.session_id if scope == "session" else None,
            "limit": limit,
            "results": [hit.as_json() for hit in self._hits(room, queries, limit, only_session=scope == "session")],
        }

    def _hits(self, room: ToolRoom, queries: list[str], limit: int, *, only_session: bool) -> list[SearchHit]:
        context = room.context
        session = room.session(context.session_id) if only_session else None
        if only_session and session is None:
            # A first turn has nothing to search; a query that breaks the grammar is told all the same.
            for query in queries:
                parse_query(query)
            return []
        scope = SearchScope(workspace=room.workspace, agent_id=context.agent_id, session=session, user=context.user)
        best: dict[tuple[str, str], SearchHit] = {}
        for query in queries:
            for hit in search_turns(scope, query, limit=limit, weights=Weights(), emit=context.emit):
                key = (hit.session_id, hit.turn_id)
                known = best.get(key)
                if known is None or hit.similarity_score > known.similarity_score:
                    best[key] = hit
        return sorted(best.values(), key=lambda hit: (-hit.similarity_score, hit.turn_id))[:limit]


class GetFullTurnMessage(MemoryTool):
    name = "get_full_turn_message"
    description = "Read whole turns that search_conversations has found, by their session and turn ids."
    parameters = {
        "type": "object",
        "properties": {
            "pairs": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_PAIRS,
                "items": {
                    "type": "object",
                    "properties": {"session_id": {"type": "string"}, "turn_id": {"type": "string"}},
                    "required": ["session_id", "turn_id"],
                },
            }
        },
        "required": ["pairs"],
    }

    @override
    def answer(self, args: dict[str, Any], room: ToolRoom) -> Any:
        pairs = [(pair["session_id"], pair["turn_id"]) for pair in args["pairs"]]
        ids = {turn_id for _, text in pairs if (turn_id := _as_uuid(text))}
        found = {(turn.session.session_id, str(turn.turn_id)): turn for turn in room.turns().filter(turn_id__in=ids)}
        turns = [found[pair] for pair in pairs if pair in found]
        return {
            "requested_count": len(pairs),
            "found_count": len(turns),
            "turns": [
                {
                    "turn_id": str(turn.turn_id),
                    "session_id": turn.session.session_id,
                    "user_message": turn.user_message,
                    "agent_response": turn.agent_response,
                }
                for turn in turns
            ],
            "missing_pairs": [
                {"session_id": session_id, "turn_id": turn_id}
                for session_id, turn_id in pairs
                if (session_id, turn_id) not in found
            ],
        }


def memory_tools() -> list[Tool]:
    """What `AgentSpec.enable_runtime_tools` and the definition's `memory_tools` stand for."""
    return [SearchConversations(), GetFullTurnMessage()]


def _as_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
