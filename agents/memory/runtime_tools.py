"""Tools over sessions and turns that an agent gets when its author asks for them (contract 5.11)."""

from typing import Any

from typing_extensions import override

from agents.memory.models import Session, Turn
from agents.memory.tool_room import MemoryTool, ToolRoom
from agents.tools.base import Tool

MAX_TURNS = 50
DEFAULT_TRACES = 5
_SESSION = {"type": "string", "description": "Which session. Default: the latest one."}
_LIMIT = {"type": "integer", "description": f"How many, at most {MAX_TURNS}."}


class GetLatestSession(MemoryTool):
    name = "get_latest_session"
    description = "Tell which session was active last, with its number of turns and its tokens."
    parameters: dict[str, Any] = {"type": "object", "properties": {}}

    @override
    def answer(self, args: dict[str, Any], room: ToolRoom) -> Any:
        session = room.latest_session()
        return _session_row(session) if session else None


class GetLatestTrace(MemoryTool):
    name = "get_latest_trace"
    description = "Read the newest turn of a session: what was asked and answered, and its trace id."
    parameters = {"type": "object", "properties": {"session_id": _SESSION}}

    @override
    def answer(self, args: dict[str, Any], room: ToolRoom) -> Any:
        return next(iter(_newest(room, args.get("session_id"), 1)), None)


class ListRecentTraces(MemoryTool):
    name = "list_recent_traces"
    description = "Read the newest turns of a session, newest first."
    parameters = {"type": "object", "properties": {"session_id": _SESSION, "limit": _LIMIT}}

    @override
    def answer(self, args: dict[str, Any], room: ToolRoom) -> Any:
        return _newest(room, args.get("session_id"), max(1, int(args.get("limit", DEFAULT_TRACES))))


class GetConversation(MemoryTool):
    name = "get_conversation"
    description = "Read this conversation from its beginning, or its newest turns, oldest first."
    parameters = {"type": "object", "properties": {"limit": _LIMIT}}

    @override
    def answer(self, args: dict[str, Any], room: ToolRoom) -> Any:
        limit = min(max(0, int(args.get("limit", MAX_TURNS))), MAX_TURNS)
        turns = room.turns().filter(session__session_id=room.context.session_id).order_by("-pk")[:limit]
        return [turn.as_json() for turn in reversed(turns)]


class RuntimeToolBuilder:
    """Makes these tools for an agent in code: `ToolRegistry([RuntimeToolBuilder().get_conversation()])`."""

    def get_latest_session(self) -> Tool:
        return GetLatestSession()

    def get_latest_trace(self) -> Tool:
        return GetLatestTrace()

    def list_recent_traces(self) -> Tool:
        return ListRecentTraces()

    def get_conversation(self) -> Tool:
        return GetConversation()

    def all(self) -> list[Tool]:
        return [GetLatestSession(), GetLatestTrace(), ListRecentTraces(), GetConversation()]


def _newest(room: ToolRoom, session_id: str | None, count: int) -> list[dict[str, Any]]:
    session = room.session(session_id.strip()) if session_id else room.latest_session()
    if session is None:
        return []
    return [_trace_row(turn) for turn in room.turns().filter(session=session).order_by("-pk")[: min(count, MAX_TURNS)]]


def _trace_row(turn: Turn) -> dict[str, Any]:
    return {
        "trace_id": turn.metadata.get("trace_id") or str(turn.turn_id),
        "session_id": turn.session.session_id,
        "user_message": turn.user_message,
        "agent_response": turn.agent_response,
        "metadata": turn.metadata,
        "created_at": turn.created_at.timestamp(),
    }


def _session_row(session: Session) -> dict[str, Any]:
    return {
        "session_id": session.session_id,
        "turn_count": session.turn_count,
        "last_activity_at": session.last_activity_at.timestamp(),
        "session_total_tokens": session.total_tokens,
    }
