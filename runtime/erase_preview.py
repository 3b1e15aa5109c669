"""What erasing a session would take, told before it happens (extensions 4)."""

from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from agents.models import Agent
from runtime.erase_reach import copies, requests_of, sessions_in_reach
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasurePreview:
    sessions: int
    """With those in which subagents served it, or in which it was said again."""
    turns: int
    requests: int
    events: int
    copies: int
    """Rows that were taken from its requests."""
    unfinished: int
    """While there are any, nothing can be erased."""

    @property
    def served(self) -> int:
        return self.sessions - 1


def preview_erasure(workspace: Workspace, agent: Agent, session_id: str) -> ErasurePreview:
    sessions = sessions_in_reach(workspace, agent, session_id)
    remembered = Q()
    for each, own_session in sessions:
        remembered |= Q(agent_id=each.agent_id, session_id=own_session)
    memory = workspace.sessions.filter(remembered).aggregate(sessions=Count("pk"), turns=Sum("turn_count"))
    requests = workspace.agent_requests.filter(requests_of(sessions))
    # Sequences have no gap, so the last one says how many there are.
    log = requests.aggregate(requests=Count("pk"), events=Sum("last_sequence"))
    return ErasurePreview(
        sessions=memory["sessions"],
        turns=memory["turns"] or 0,
        requests=log["requests"],
        events=log["events"] or 0,
        copies=sum(copy.count(workspace, requests) for copy in copies),
        unfinished=requests.unfinished().count(),
    )
