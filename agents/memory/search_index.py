"""The full text index over turns: puts turns in, and finds the newest ones that hold every word of a query."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import connections

from agents.memory.models import SearchEntry, Session, Turn
from agents.memory.place import memory_database
from agents.memory.terms import terms_of
from workspaces.models import Workspace

Column = Literal["user_message", "agent_response"]
# A word that is in more turns of the scope than this says little: the newest of them are ranked, the others left out.
CANDIDATES = 250
_NEWEST_PER_CANDIDATE = 4
Rows = list[tuple[int, str]]
_TERMS = {"user_message": "user_terms", "agent_response": "agent_terms"}
_SQLITE = """SELECT entry.turn_id, entry.{terms} FROM agents_search JOIN agents_searchentry entry
    ON entry.turn_id = agents_search.rowid WHERE agents_search MATCH %s ORDER BY agents_search.rowid DESC LIMIT %s"""
_POSTGRESQL_NEWEST = """SELECT turn_id, {terms} FROM (
        SELECT turn_id, scopes, {terms} FROM agents_searchentry
        WHERE split_part(scopes, ' ', 1) = %s ORDER BY turn_id + 0 DESC LIMIT %s
    ) newest WHERE ' ' || {terms} || ' ' LIKE ALL (%s) AND ' ' || scopes || ' ' LIKE ALL (%s)
    ORDER BY turn_id DESC LIMIT %s"""
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
    workspace.search_entries.bulk_create((search_entry(session, turn) for turn in turns), batch_size=500)


def search_entry(session: Session, turn: Turn) -> SearchEntry:
    scopes = [_agent_word(session.workspace_id, session.agent_id), _session_word(session.pk)]
    return SearchEntry(
        turn=turn,
        workspace_id=session.workspace_id,
        scopes=" ".join([*scopes, *([_user_word(turn.user)] if turn.user else [])]),
        user_terms=" ".join(terms_of(turn.user_message)),
        agent_terms=" ".join(terms_of(turn.agent_response)),
    )


def find_candidates(scope: SearchScope, column: Column, terms: Sequence[str]) -> list[Candidate]:
    """The newest turns of the scope whose column holds all of the terms, newest first."""
    in_sqlite = connections[memory_database()].vendor == "sqlite"
    rows = (_sqlite_rows if in_sqlite else _postgresql_rows)(scope.words(), _TERMS[column], terms)
    return [Candidate(turn_pk, words.split(" ")) for turn_pk, words in rows]


def _sqlite_rows(scopes: Sequence[str], column: str, terms: Sequence[str]) -> Rows:
    """FTS5 walks its lists from the newest turn on, and stops when it has enough."""
    parts = [f'scopes : "{word}"' for word in scopes]
    parts += [f'{column} : "{term}"' for term in terms]
    return _ask(_SQLITE.format(terms=column), [" AND ".join(parts), CANDIDATES])


def _postgresql_rows(scopes: Sequence[str], column: str, terms: Sequence[str]) -> Rows:
    """A GIN index finds all at once or none, so words that are in many turns are looked for in the newest ones first."""
    words, others = ([f"% {word} %" for word in part] for part in (terms, scopes[1:]))
    newest = [scopes[0], CANDIDATES * _NEWEST_PER_CANDIDATE, words, others, CANDIDATES]
    rows = _ask(_POSTGRESQL_NEWEST.format(terms=column), newest)
    if len(rows) == CANDIDATES:
        return rows
    query = " & ".join(f"'{word}'" for word in (*scopes, *terms))
    return _ask(_POSTGRESQL.format(terms=column), [query, CANDIDATES])


def _ask(statement: str, values: list[Any]) -> Rows:
    with connections[memory_database()].cursor() as cursor:
        cursor.execute(statement, values)
        rows: Rows = cursor.fetchall()
        return rows


def _agent_word(workspace_pk: int, agent_id: str) -> str:
    """Capital letters keep these words apart from a text's own, which have none."""
    return f"A{workspace_pk}X{_digest(agent_id)}"


def _session_word(session_pk: int) -> str:
    return f"S{session_pk}"


def _user_word(user: str) -> str:
    return f"U{_digest(user)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
