"""In which order turns answer a query, computed here, so that it is the same over every database (contract 6.5)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agents.memory.query import InvalidSearch
from agents.memory.search_index import Candidate

# The usual constants of BM25: how soon repeats of a word stop counting, and how much long texts are held back.
_SATURATION = 1.2
_LENGTH = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each kind of search counts in the final score."""

    semantic: float = 0.7
    keyword: float = 0.3

    def __post_init__(self) -> None:
        if self.semantic < 0 or self.keyword < 0 or not (self.semantic or self.keyword):
            raise InvalidSearch("Weights must not be negative, and one must be above 0.")


def ranked(candidates: Sequence[Candidate], terms: Sequence[str]) -> list[int]:
    """Keys of turns, best first: BM25 over the candidates, then the newest.

    Every candidate holds every term, so a term's rarity, which would be the same factor for all, is left out.
    """
    if not candidates:
        return []
    average = math.fsum(len(candidate.terms) for candidate in candidates) / len(candidates)
    relevance = {candidate.turn_pk: _relevance(candidate.terms, terms, average) for candidate in candidates}
    return sorted(relevance, key=lambda turn_pk: (-relevance[turn_pk], -turn_pk))


def keyword_score(rank: int) -> float:
    """Of the rank from 1: 1/2, 1/3, and so on."""
    return 1 / (1 + rank)


def _relevance(words: list[str], terms: Sequence[str], average: float) -> float:
    held_back = _SATURATION * (1 - _LENGTH + _LENGTH * len(words) / average)
    counts = [words.count(term) for term in terms]
    return math.fsum(count / (count + held_back) for count in counts)
