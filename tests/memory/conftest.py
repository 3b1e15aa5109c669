"""Stored turns to search, sum up, copy and erase."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from agents.memory.history import NewTurn, save_turn
from workspaces.models import Workspace

# One of them starts the suite with two databases, in which the other one runs.
collect_ignore = ["test_two_databases.py" if len(connections.databases) > 1 else "test_crash_between.py"]
Remember = Callable[..., str]


@pytest.fixture
def remember(workspace: Workspace) -> Remember:
    """Stores a turn as the runtime does, and gives its id."""

    def store(user_message: str, agent_response: str = "", **given: Any) -> str:
        turn = NewTurn(
            turn_id=uuid.uuid4(),
            user=given.get("user", ""),
            user_message=user_message,
            agent_response=agent_response,
            signals=given.get("signals", {}),
            tokens=given.get("tokens", 10),
            metadata=given.get("metadata", {}),
            created_at=timezone.now(),
        )
        owner = given.get("workspace", workspace)
        agent_id, session_id = given.get("agent_id", "assistant"), given.get("session_id", "talk")
        save_turn(owner, agent_id=agent_id, session_id=session_id, turn=turn)
        return str(turn.turn_id)

    return store
