"""What belongs to a request beside its row, against its log: its turn, its children, and its questions to people."""

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from runtime.kinds import RequestKind, Status
from runtime.models import AgentRequest, Interaction
from runtime.verify.difference import Difference
from runtime.verify.facts import Facts
from workspaces.models import Workspace

State = Interaction.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Of a batch of requests, read in three queries."""

    turn_ids: frozenset[UUID]
    children: dict[int, list[AgentRequest]]
    interactions: dict[int, list[Interaction]]

    @classmethod
    def of(cls, workspace: Workspace, rows: Sequence[AgentRequest], trace_ids: Set[UUID]) -> Self:
        children: dict[int, list[AgentRequest]] = defaultdict(list)
        for child in workspace.agent_requests.filter(parent__in=rows).order_by("pk"):
            children[child.parent_id or 0].append(child)
        interactions: dict[int, list[Interaction]] = defaultdict(list)
        for interaction in workspace.interactions.filter(agent_request__in=rows).order_by("pk"):
            interactions[interaction.agent_request_id].append(interaction)
        # Memory may be another database, so the ids travel.
        turns = workspace.turns.filter(turn_id__in=trace_ids).values_list("turn_id", flat=True)
        return cls(turn_ids=frozenset(turns), children=children, interactions=interactions)


def compare_company(row: AgentRequest, facts: Facts, company: Company) -> Iterator[Difference]:
    where = f"request {row.request_id}"
    if not facts.is_erased:
        yield from _turn(where, row, facts, company)
    yield from _children(where, row, facts, company.children.get(row.pk, []))
    yield from _questions(where, facts, company.interactions.get(row.pk, []))


def _turn(where: str, row: AgentRequest, facts: Facts, company: Company) -> Iterator[Difference]:
    if row.kind != RequestKind.TURN or facts.status is None:
        return
    is_there = not company.turn_ids.isdisjoint(facts.trace_ids)
    if facts.status == Status.COMPLETED and not is_there:
        yield Difference(where=where, what="it is completed and its turn is not in memory")
    if facts.status != Status.COMPLETED and is_there:
        yield Difference(where=where, what=f"it is {facts.status} and has a turn in memory")


def _children(where: str, row: AgentRequest, facts: Facts, children: Sequence[AgentRequest]) -> Iterator[Difference]:
    for child in children:
        about = f"its child {child.request_id}"
        if facts.status == Status.COMPLETED and child.parent_call not in facts.calls_ended:
            yield Difference(where=where, what=f"the log does not say how {about} ended")
        if facts.status is not None and not (child.is_terminal or child.cancel_reason):
            yield Difference(where=where, what=f"{about} is {child.status} although it has ended")


def _questions(where: str, facts: Facts, interactions: Sequence[Interaction]) -> Iterator[Difference]:
    for missing in facts.questions.keys() - {row.interaction_id for row in interactions}:
        yield Difference(where=where, what=f"the log asks {missing}, which is not there")
    for row in interactions:
        logged = facts.questions.get(row.interaction_id)
        if logged is None:
            yield Difference(where=where, what=f"{row.interaction_id} is not in the log")
        elif logged and row.state != logged:
            yield Difference(where=where, what=f"{row.interaction_id} is {row.state}, the log says {logged}")
        elif not logged and row.state not in {State.OPEN, State.CANCELLED}:
            yield Difference(where=where, what=f"{row.interaction_id} is {row.state}, the log says nothing of that")
        elif facts.status is not None and row.state == State.OPEN:
            yield Difference(where=where, what=f"{row.interaction_id} is open although the request has ended")
