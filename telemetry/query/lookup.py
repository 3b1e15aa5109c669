"""What an id, or the beginning of one, stands for in a workspace: each kind by the index on it."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q

from workspaces.models import Workspace

SHORTEST_PREFIX = 6
MOST_OF_A_KIND = 10
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Found:
    kind: str
    name: str
    route: str
    arguments: tuple[str, ...]


def lookup(workspace: Workspace, text: str) -> list[Found]:
    """Each thing once, however many of its ids begin so."""
    wanted = text.strip()
    if not wanted or len(wanted) > _LONGEST or "\0" in wanted:
        return []
    if wanted.startswith("itr_"):
        return _interactions(workspace, wanted)
    return list(
        dict.fromkeys([*_requests(workspace, wanted), *_agents(workspace, wanted), *_sessions(workspace, wanted)])
    )


def _requests(workspace: Workspace, wanted: str) -> Iterator[Found]:
    digits = wanted.replace("-", "").lower()
    if not re.fullmatch(f"[0-9a-f]{{{SHORTEST_PREFIX},32}}", digits):
        return
    span = uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))
    for name, kind in (("request_id", "Request"), ("trace_id", "Trace")):
        rows = workspace.agent_requests.filter(Q(**{f"{name}__range": span})).order_by(name)
        for request_id, shown in rows.values_list("request_id", name)[:MOST_OF_A_KIND]:
            yield Found(kind, str(shown), "request", (str(request_id),))


def _agents(workspace: Workspace, wanted: str) -> Iterator[Found]:
    for agent_id in workspace.agents.filter(agent_id=wanted).values_list("agent_id", flat=True):
        yield Found("Agent", agent_id, "agent", (agent_id,))


def _sessions(workspace: Workspace, wanted: str) -> Iterator[Found]:
    # By requests and not by stored turns: a session is there as soon as somebody has asked something in it
    rows = workspace.agent_requests.filter(session_id=wanted).order_by().values_list("agent__agent_id", flat=True)
    for agent_id in rows.distinct()[:MOST_OF_A_KIND]:
        yield Found("Session", f"{wanted} of {agent_id}", "session", (agent_id, wanted))


def _interactions(workspace: Workspace, wanted: str) -> list[Found]:
    ids = workspace.interactions.filter(interaction_id=wanted).values_list("interaction_id", flat=True)
    return [Found("Interaction", name, "interaction", (name,)) for name in ids]
