"""The grammar of a memory search: `@user:<terms>` or `@agent:<terms>` (contract 6.3)."""

import re
from dataclasses import dataclass

from agents.memory.search_index import Column
from agents.memory.terms import terms_of
from workspaces.errors import MashError

MAX_QUERY_CHARACTERS = 1000
MAX_TERMS = 32
COLUMNS: dict[str, Column] = {"user": "user_message", "agent": "agent_response"}
_PREFIXED = re.compile(r"@(user|agent):(.*)", re.IGNORECASE)


class InvalidSearch(MashError, ValueError):
    """The query breaks the grammar, or an argument of the search makes no sense."""

    code = "SEARCH_VALIDATION_ERROR"
    status = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    column: Column
    query_term: str
    """What follows the prefix, whitespace collapsed."""
    terms: tuple[str, ...]
    """The words that a turn must hold, all of them."""


def parse_query(text: str) -> SearchQuery:
    """The query, or `InvalidSearch`."""
    if len(text) > MAX_QUERY_CHARACTERS:
        raise InvalidSearch(f"A query has at most {MAX_QUERY_CHARACTERS} characters.")
    found = _PREFIXED.fullmatch(" ".join(text.split()))
    if found is None:
        raise InvalidSearch("A query begins with @user: or @agent:, followed by the words to find.")
    terms = tuple(dict.fromkeys(terms_of(found[2])))
    if not terms:
        raise InvalidSearch("The query names no word to find.")
    if len(terms) > MAX_TERMS:
        raise InvalidSearch(f"A query has at most {MAX_TERMS} different words.")
    return SearchQuery(column=COLUMNS[found[1].lower()], query_term=found[2].strip(), terms=terms)
