"""Finds turns by their words, as the API does, and adds what a person wants to see of them (web-ui 3.7)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models.functions import Left
from django.utils.safestring import SafeString

from agents.memory.query import COLUMNS, SearchQuery, parse_query
from agents.memory.search import SearchHit
from agents.memory.terms import MAX_INDEXED_CHARACTERS
from runtime.search_memory import search_memory
from telemetry.show.passage import passage
from workspaces.models import Workspace

Role = Literal["user", "agent"]
ROLES: dict[str, tuple[Role, ...]] = {"any": ("user", "agent"), "user": ("user",), "agent": ("agent",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    agent_id: str
    text: str
    role: str = "any"
    session_id: str = ""
    user: str = ""
    limit: int = 10

    def queries(self) -> dict[Role, str]:
        """In the grammar of the contract; who writes `@user:` or `@agent:` has chosen already."""
        if self.text.startswith("@"):
            role: Role = "agent" if self.text.lower().startswith("@agent:") else "user"
            return {role: self.text}
        return {role: f"@{role}: {self.text}" for role in ROLES[self.role]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    role: Role
    rank: int
    """Among the turns that were found by words of this role, from 1."""
    score: float
    session_id: str
    turn_pk: int
    turn_id: UUID
    at: datetime
    passage: SafeString
    is_summary: bool
    request_id: UUID | None
    """Of the request that made the turn, as long as it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a search told of itself, for whoever looks into it."""

    role: Role
    kind: str
    duration_ms: int
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    results: Sequence[Result]
    parsed: Mapping[Role, SearchQuery]
    stages: Sequence[Stage]


def find(workspace: Workspace, search: Search) -> Found:
    """Raises what `search_memory` raises."""
    hits: list[tuple[Role, int, SearchHit]] = []
    stages: list[Stage] = []
    for role, query in search.queries().items():

        def emit(kind: str, told: Mapping[str, Any], role: Role = role) -> None:
            stages.append(Stage(role=role, kind=kind, duration_ms=told["duration_ms"], facts=told["metadata"]))

        found = search_memory(
            workspace,
            agent_id=search.agent_id,
            query=query,
            session_id=search.session_id or None,
            limit=search.limit,
            user=search.user,
            emit=emit,
        )
        hits += [(role, rank, hit) for rank, hit in enumerate(found, start=1)]
    parsed = {role: parse_query(query) for role, query in search.queries().items()}
    best = sorted(hits, key=lambda found: found[1])[: search.limit]
    return Found(results=_results(workspace, best, parsed), parsed=parsed, stages=stages)


def _results(
    workspace: Workspace, hits: Iterable[tuple[Role, int, SearchHit]], parsed: Mapping[Role, SearchQuery]
) -> list[Result]:
    hits = list(hits)
    turns = _turns(workspace, {hit.turn_id for _, _, hit in hits}, parsed) if hits else {}
    requests = _requests(workspace, turns.values()) if turns else {}
    return [
        Result(
            role=role,
            rank=rank,
            score=hit.similarity_score,
            session_id=hit.session_id,
            turn_pk=turn["pk"],
            turn_id=turn["turn_id"],
            at=turn["created_at"],
            passage=passage(turn[f"{role}_text"], parsed[role].terms),
            is_summary=turn["metadata"].get("type") == "summary_checkpoint",
            request_id=requests.get(_trace_id(turn)),
        )
        for role, rank, hit in hits
        if (turn := turns.get(hit.turn_id))
    ]


def _turns(workspace: Workspace, turn_ids: set[str], roles: Iterable[Role]) -> dict[str, dict[str, Any]]:
    """Those of their texts that were searched, as far as they were."""
    texts = {f"{role}_text": Left(COLUMNS[role], MAX_INDEXED_CHARACTERS) for role in roles}
    rows = workspace.turns.filter(turn_id__in=turn_ids).annotate(**texts)
    return {str(row["turn_id"]): row for row in rows.values("pk", "turn_id", "created_at", "metadata", *texts)}


def _requests(workspace: Workspace, turns: Iterable[Mapping[str, Any]]) -> dict[str, UUID]:
    trace_ids = [_trace_id(turn) for turn in turns]
    rows = workspace.agent_requests.filter(trace_id__in=trace_ids).values_list("trace_id", "request_id")
    return {str(trace_id): request_id for trace_id, request_id in rows}


def _trace_id(turn: Mapping[str, Any]) -> str:
    return str(turn["metadata"].get("trace_id") or turn["turn_id"])
