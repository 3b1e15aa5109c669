"""Usage along delegations: what a request has used with everything that was done for it, each call counted once."""

from collections.abc import Iterator

from runtime.models import AgentRequest
from runtime.usage.totals import COUNTED, Totals, total

_COLUMNS = ("pk", "has_unknown_price", *(name for name in COUNTED if name != "unknown_price_calls"))


def with_children(agent_request: AgentRequest) -> Totals:
    """Own usage, as this row has it, and that of all descendants; one query per level of delegation."""
    return Totals.of_request(agent_request) + total(Totals.of_request(child) for child in _descendants(agent_request))


def spent(agent_request: AgentRequest) -> Totals:
    """The same as the database has it now."""
    rows = agent_request.workspace.agent_requests.select_related("workspace")
    return with_children(rows.only("workspace", *_COLUMNS).get(pk=agent_request.pk))


def ancestors_of(agent_request: AgentRequest) -> Iterator[AgentRequest]:
    """The requests that this one works for, nearest first."""
    parent_pk = agent_request.parent_id
    while parent_pk is not None:
        parent = agent_request.workspace.agent_requests.with_agent().get(pk=parent_pk)
        yield parent
        parent_pk = parent.parent_id


def _descendants(agent_request: AgentRequest) -> Iterator[AgentRequest]:
    rows = agent_request.workspace.agent_requests
    level = list(rows.filter(parent=agent_request).only(*_COLUMNS))
    while level:
        yield from level
        level = list(rows.filter(parent__in=level).only(*_COLUMNS))
