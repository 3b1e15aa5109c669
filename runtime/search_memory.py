"""A search of an agent's memory from outside, the same for the API and the pages (contract 2.2.15)."""

import logging
from collections.abc import Mapping
from typing import Any

from django.db import Error

from agents.memory.history import find_session
from agents.memory.ranking import Weights
from agents.memory.search import Emit, SearchHit, search_turns
from agents.memory.search_index import SearchScope
from runtime.errors import SearchFailed, SearchUnavailable
from workspaces.errors import MashError
from workspaces.models import Workspace

logger = logging.getLogger(__name__)


def _nobody(kind: str, payload: Mapping[str, Any]) -> None:
    pass


def search_memory(
    workspace: Workspace,
    *,
    agent_id: str,
    query: str,
    session_id: str | None,
    limit: int,
    user: str = "",
    emit: Emit = _nobody,
) -> list[SearchHit]:
    """The best turns, best first; `emit` is told of each stage."""
    try:
        session = find_session(workspace, agent_id=agent_id, session_id=session_id) if session_id else None
        scope = SearchScope(workspace=workspace, agent_id=agent_id, session=session, user=user)
        hits = search_turns(scope, query, limit=limit, weights=Weights(semantic=0.0, keyword=1.0), emit=emit)
    except MashError:
        raise
    except Error as error:
        raise SearchUnavailable("Memory cannot be searched right now; try again.") from error
    except Exception as error:
        logger.exception("A memory search failed", extra={"action": "search.failed"})
        raise SearchFailed("The search failed; the server's log has the details.") from error
    # The query is checked all the same; nothing is found in a session that does not exist.
    return [] if session_id and session is None else hits
