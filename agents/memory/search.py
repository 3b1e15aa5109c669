"""Searches an agent's turns: parse, retrieve, rank, and tell each stage as an event (contract 6.4)."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Left

from agents.memory.models import turns_of
from agents.memory.query import SearchQuery, parse_query
from agents.memory.ranking import Weights, keyword_score, ranked
from agents.memory.search_index import SearchScope, find_candidates

MAX_LIMIT = 50
PREVIEW_CHARACTERS = 200
Emit = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    turn_id: str
    session_id: str
    similarity_score: float
    preview: str

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def search_turns(
    scope: SearchScope, query: str, *, limit: int, weights: Weights, emit: Emit = lambda kind, payload: None
) -> list[SearchHit]:
    """The best turns of the scope, best first. A query that breaks the grammar is `InvalidSearch`."""
    trail = _Trail(emit)
    if limit <= 0:
        trail.tell("memory.search.complete", "service", short_circuit="non_positive_limit", result_count=0)
        return []
    parsed = _parse(trail, query)
    normalized = min(limit, MAX_LIMIT)
    trail.tell(
        "memory.search.start",
        "service",
        query_term=parsed.query_term,
        column=parsed.column,
        limit_requested=limit,
        limit_normalized=normalized,
        has_session_id=scope.session is not None,
    )
    best = _retrieve(trail, scope, parsed, normalized)
    hits = _fuse(trail, scope, parsed, best, weights)
    trail.tell("memory.search.complete", "service", result_count=len(hits), limit_applied=normalized)
    return hits


def _parse(trail: "_Trail", query: str) -> SearchQuery:
    with trail.stage("parse"):
        parsed = parse_query(query)
    trail.tell("memory.search.parse.complete", "parse", column=parsed.column, query_term=parsed.query_term)
    return parsed


def _retrieve(trail: "_Trail", scope: SearchScope, query: SearchQuery, limit: int) -> list[int]:
    """Keys of the best turns."""
    with trail.stage("retrieval"):
        best = ranked(find_candidates(scope, query.column, query.terms), query.terms)[:limit]
    trail.tell(
        "memory.search.retrieval.complete",
        "retrieval",
        keyword_hits=len(best),
        semantic_hits=0,
        keyword_enabled=True,
        semantic_enabled=False,
    )
    return best


def _fuse(
    trail: "_Trail", scope: SearchScope, query: SearchQuery, best: list[int], weights: Weights
) -> list[SearchHit]:
    """With keywords alone, the fused score keeps the order of the ranks."""
    with trail.stage("rerank"):
        rows = turns_of(scope.workspace, best).annotate(preview=Left(query.column, PREVIEW_CHARACTERS))
        found = {row["pk"]: row for row in rows.values("pk", "turn_id", "session__session_id", "preview")}
        hits = [
            _hit(found[turn_pk], weights.keyword * keyword_score(rank))
            for rank, turn_pk in enumerate(best, start=1)
            if turn_pk in found
        ]
    trail.tell("memory.search.rerank.complete", "rerank", fused_hits=len(hits))
    return hits


def _hit(row: Mapping[str, Any], score: float) -> SearchHit:
    return SearchHit(
        turn_id=str(row["turn_id"]),
        session_id=row["session__session_id"],
        similarity_score=score,
        preview=row["preview"],
    )


class _Trail:
    """The events of one search."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._query_id = uuid.uuid4().hex
        self._began = time.monotonic()

    def tell(self, kind: str, stage: str, *, level: str = "INFO", error: str = "", **metadata: Any) -> None:
        about: dict[str, Any] = {"query_id": self._query_id, "level": level, "stage": stage}
        about |= {"duration_ms": round((time.monotonic() - self._began) * 1000), "metadata": metadata, "payload": {}}
        self._emit(kind, about | ({"error": error} if error else {}))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.tell(f"memory.search.{name}.error", name, level="ERROR", error=str(error))
            raise
