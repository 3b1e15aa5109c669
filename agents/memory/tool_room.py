"""Where a memory tool works: the rows that the request which calls it may see."""

import json
from abc import abstractmethod
from typing import Any

from django.db import Error
from django.db.models import QuerySet
from typing_extensions import override

from agents.memory.history import find_session
from agents.memory.models import Session, Turn
from agents.tools.base import Tool, ToolResult
from agents.tools.context import ToolContext
from workspaces.errors import MashError
from workspaces.models import Workspace


class ToolRoom:
    """The memory of the calling request's agent and, when the request names an end user, of that user alone."""

    def __init__(self, context: ToolContext) -> None:
        self.context = context
        self.workspace = Workspace.objects.get(slug=context.workspace)

    def turns(self) -> QuerySet[Turn]:
        turns = self.workspace.turns.filter(session__agent_id=self.context.agent_id).select_related("session")
        return turns.filter(user=self.context.user) if self.context.user else turns

    def session(self, session_id: str) -> Session | None:
        return find_session(self.workspace, agent_id=self.context.agent_id, session_id=session_id)

    def latest_session(self) -> Session | None:
        """That of the newest turn that may be seen."""
        newest = self.turns().order_by("-created_at", "-pk").first()
        return newest.session if newest else None


class MemoryTool(Tool):
    """Reads memory and changes nothing, so it may run beside others and again after a crash."""

    crash_policy = "idempotent"
    parallel_safe = True
    timeout_s = 30

    @override
    def execute(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        try:
            return ToolResult.success(json.dumps(self.answer(args, ToolRoom(context))))
        except MashError as error:
            return ToolResult.error(error.message)
        except Error:
            return ToolResult.error("Memory cannot be reached right now.")

    @abstractmethod
    def answer(self, args: dict[str, Any], room: ToolRoom) -> Any:
        """What the model gets, as JSON."""
