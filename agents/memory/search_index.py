"""The full text index over turns: puts turns in, and finds the newest ones that hold every word of a query."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db import connections

from agents.memory.models import SearchEntry, Session, Turn
from agents.memory.place import memory_database
from agents.memory.terms import terms_of
from workspaces.models import Workspace

Column = Literal["user_message", "agent_response"]
# A word that is in more turns of the scope than this says little: the newest of them are ranked, the others left out.
CANDIDATES = 500
_TERMS = {"user_message": "user_terms", "agent_response": "agent_terms"}
_SQLITE = """SELECT entry.turn_id, entry.{terms} FROM agents_search JOIN agents_searchentry entry
    ON entry.turn_id = agents_search.rowid WHERE agents_search MATCH %s ORDER BY agents_search.rowid DESC LIMIT %s"""
_POSTGRESQL = "SELECT found, terms FROM agents_search_in_{terms}(%s::tsquery, %s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchScope:
    """Whose turns are searched. Empty: any session, any user of the agent."""

    workspace: Workspace
    agent_id: str
    session: Session | None = None
    user: str = ""

    def words(self) -> list[str]:
        words = [_agent_word(self.workspace.pk, self.agent_id)]
        words += [_session_word(self.session.pk)] if self.session else []
        words += [_user_word(self.user)] if self.user else []
        return words


@dataclass(frozen=True, slots=True)
class Candidate:
    turn_pk: int
    terms: list[str]


def index_turns(workspace: Workspace, session: Session, turns: Iterable[Turn]) -> None:
    """Makes these new turns of the session findable; call it in the transaction that stores them."""
    agent, own = _agent_word(session.workspace_id, session.agent_id), _session_word(session.pk)
    entries = [
        SearchEntry(
            turn=turn,
            workspace_id=session.workspace_id,
            scopes=" ".join([agent, own, *([_user_word(turn.user)] if turn.user else [])]),
            user_terms=" ".join(terms_of(turn.user_message)),
            agent_terms=" ".join(terms_of(turn.agent_response)),
        )
        for turn in turns
    ]
    workspace.search_entries.bulk_create(entries, batch_size=500)


def find_candidates(scope: SearchScope, column: Column, terms: Sequence[str]) -> list[Candidate]:
    """The newest turns of the scope whose column holds all of the terms, newest first."""
    connection = connections[memory_database()]
    if connection.vendor == "sqlite":
        statement, query = _SQLITE, _fts5_query(scope.words(), _TERMS[column], terms)
    else:
        statement, query = _POSTGRESQL, " & ".join(f"'{word}'" for word in (*scope.words(), *terms))
    with connection.cursor() as cursor:
        cursor.execute(statement.format(terms=_TERMS[column]), [query, CANDIDATES])
        return [Candidate(turn_pk, words.split(" ")) for turn_pk, words in cursor.fetchall()]


def _fts5_query(scopes: Sequence[str], column: str, terms: Sequence[str]) -> str:
    parts = [f'scopes : "{word}"' for word in scopes]
    parts += [f'{column} : "{term}"' for term in terms]
    return " AND ".join(parts)


def _agent_word(workspace_pk: int, agent_id: str) -> str:
    """Capital letters keep these words apart from a text's own, which have none."""
    return f"A{workspace_pk}X{_digest(agent_id)}"


def _session_word(session_pk: int) -> str:
    return f"S{session_pk}"


def _user_word(user: str) -> str:
    return f"U{_digest(user)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
