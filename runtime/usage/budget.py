"""Stops a request before a model call that its cost limit does not allow (extensions 3, 7)."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.utils import timezone

from agents.build import RunnableAgent
from runtime.events import NewEvent
from runtime.models import AgentRequest
from runtime.usage import meter
from runtime.usage.family import ancestors_of, spent
from runtime.usage.prices import has_price
from runtime.usage.totals import Totals
from workspaces.errors import MashError


class BudgetExceeded(MashError):
    """The request may not spend more; `details` has `limit_usd` and `spent_usd`."""

    code = "budget_exceeded"
    status = 402


def check_budget(agent_request: AgentRequest, runnable: RunnableAgent, pending: Sequence[NewEvent] = ()) -> None:
    """Raises `BudgetExceeded` when this request, or one that it works for, has no money left for another call.

    A request's children spend from its limit too. `pending` are events that have happened and are not written yet. Without
    any limit this asks the database nothing, but for what a child works for.
    """
    limits = list(_limits(agent_request, runnable))
    if not limits:
        return
    model = runnable.llm.model
    if not has_price(agent_request.workspace, runnable.llm.provider, model, at=timezone.now()):
        raise BudgetExceeded(
            f"The request has a cost limit, and the price of {model} is not known: add one under Prices in the admin.",
            details={"limit_usd": float(min(limit for _, limit in limits)), "model": model},
        )
    unwritten = _unwritten(agent_request, pending)
    for payer, limit in limits:
        _check(spent(payer) + unwritten, limit)


def _check(used: Totals, limit: Decimal) -> None:
    details = {"limit_usd": float(limit), "spent_usd": float(used.cost_usd)}
    if used.unknown_price_calls:
        text = "The request has a cost limit, and a call was made whose price is not known."
        raise BudgetExceeded(text, details=details)
    if used.cost_usd >= limit:
        raise BudgetExceeded(
            f"The request has spent ${used.cost_usd:.6f} of the ${limit:.6f} that it may.", details=details
        )


def _limits(agent_request: AgentRequest, runnable: RunnableAgent) -> Iterator[tuple[AgentRequest, Decimal]]:
    """Who pays, and how much at most: the request itself, and every request above it."""
    own = (agent_request.limits.get("max_cost_usd"), runnable.definition.max_cost_usd)
    yield from _tightest(agent_request, *own)
    for ancestor in ancestors_of(agent_request):
        definition = ancestor.agent_version.typed_definition
        yield from _tightest(ancestor, ancestor.limits.get("max_cost_usd"), definition.max_cost_usd)


def _tightest(payer: AgentRequest, *limits: float | None) -> Iterator[tuple[AgentRequest, Decimal]]:
    known = [Decimal(str(limit)) for limit in limits if limit is not None]
    if known:
        yield payer, min(known)


def _unwritten(agent_request: AgentRequest, pending: Sequence[NewEvent]) -> Totals:
    calls = [
        (event.event_type, meter.priced(agent_request, event.event_type, event.payload, event.created_at))
        for event in pending
    ]
    return meter.used(calls) or Totals()
