"""Begins a new session with a copy of another one's turns (extensions 4)."""

import uuid

from django.db import IntegrityError, transaction

from agents.memory.copy import copy_turns
from agents.memory.history import find_session
from agents.memory.models import Session
from agents.memory.place import memory_database
from agents.models import Agent
from runtime.errors import SessionBusy, SessionExists, SessionNotFound, TurnNotFound
from workspaces import audit
from workspaces.authenticate import Principal
from workspaces.scoping import only


def fork_session(
    principal: Principal, agent: Agent, session_id: str, *, after_turn_id: uuid.UUID | None, fork_id: str
) -> Session:
    """A new session `fork_id` that starts with the turns up to and including `after_turn_id`, or with all of them."""
    workspace = principal.workspace
    origin = find_session(workspace, agent_id=agent.agent_id, session_id=session_id)
    if origin is None:
        raise SessionNotFound("There is no such session.")
    last = only(origin.turns.filter(turn_id=after_turn_id)) if after_turn_id else origin.turns.order_by("-id").first()
    if last is None:
        raise TurnNotFound("The session has no such turn.")
    for active in workspace.agent_requests.unfinished().filter(agent=agent, session_id=fork_id)[:1]:
        details = {"request_id": str(active.request_id)}
        raise SessionBusy("A request is about to begin a session of this id.", details=details)
    try:
        with transaction.atomic(using=memory_database()):
            fork = copy_turns(workspace, origin, last=last, session_id=fork_id)
    except IntegrityError as error:
        raise SessionExists("There is a session of this id already.", details={"session_id": fork_id}) from error
    audit.record(
        workspace,
        actor=principal.name,
        action="session.forked",
        target=f"{agent.agent_id}/{session_id}",
        details={"session_id": fork_id, "turns": fork.turn_count},
    )
    return fork
