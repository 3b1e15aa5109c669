"""Deletes memory with what it belongs to; Django's cascade does not reach into another database."""

from dataclasses import dataclass

from django.db import transaction

from agents.memory.history import find_session
from agents.memory.place import memory_database
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    sessions: int = 0
    turns: int = 0
    signals: int = 0
    search_entries: int = 0


def erase_session(workspace: Workspace, *, agent_id: str, session_id: str) -> Erased:
    """Deletes the session with its turns, their signals and what search knows of them."""
    with transaction.atomic(using=memory_database()):
        session = find_session(workspace, agent_id=agent_id, session_id=session_id)
        if session is None:
            return Erased()
        signals = sum(len(signals) for signals in session.turns.values_list("signals", flat=True).iterator())
        entries = workspace.search_entries.filter(turn__session=session).delete()[0]
        turns = session.turns.all().delete()[0]
        session.delete()
    return Erased(sessions=1, turns=turns, signals=signals, search_entries=entries)


def erase_memory_of(workspace: Workspace) -> None:
    """Everything that the workspace's agents remember; runs before a workspace is deleted."""
    with transaction.atomic(using=memory_database()):
        workspace.search_entries.all().delete()
        workspace.turns.all().delete()
        workspace.sessions.all().delete()
