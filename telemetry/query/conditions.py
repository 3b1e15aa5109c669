"""From the grammar's expressions to conditions on a request's row; its events are looked at only by whether there are such."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, Exists, F, OuterRef, Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual
from django.utils import timezone

from runtime.kinds import Status
from runtime.models.event import CALLS_BEGIN, ToolName
from telemetry.query.grammar import Expression, Group, Negated
from telemetry.query.terms import META, TEXT, Term
from workspaces.models import Workspace

if TYPE_CHECKING:
    from django.db.models import Lookup

_COMPARES: "Mapping[str, type[Lookup[Any]]]" = {
    "=": Exact,
    ">": GreaterThan,
    ">=": GreaterThanOrEqual,
    "<": LessThan,
    "<=": LessThanOrEqual,
}
_SUFFIXES = {"=": "", ">": "__gt", ">=": "__gte", "<": "__lt", "<=": "__lte"}
_COLUMNS = {
    "agent": "agent__agent_id",
    "session": "session_id",
    "user": "user",
    "model": "model",
    "status": "status",
    "kind": "kind",
    TEXT: "message__icontains",
}


def condition(expression: Expression, workspace: Workspace) -> Q:
    if isinstance(expression, Negated):
        return ~condition(expression.part, workspace)
    if isinstance(expression, Group):
        parts = [condition(part, workspace) for part in expression.parts]
        return reduce(or_ if expression.is_any else and_, parts, Q())
    return _term(expression, workspace)


def _term(term: Term, workspace: Workspace) -> Q:
    value = term.value
    if isinstance(value, Decimal):
        return _AMOUNTS[term.key](term.operator, value)
    if term.key in _COLUMNS:
        return Q(**{_COLUMNS[term.key]: value})
    if term.key == "tool":
        return _called(workspace, value)
    if term.key.startswith(META):
        return _has_metadata(term.key.removeprefix(META), value)
    return _HAS[value](workspace)


class _RowByRow(Exists):
    """PostgreSQL would first collect every call of the tool there ever was; the offset, which is none, keeps it from that."""

    template = "EXISTS(%(subquery)s OFFSET 0)"


def _called(workspace: Workspace, tool: str) -> Q:
    calls = workspace.events.alias(tool=ToolName("payload")).filter(
        agent_request=OuterRef("pk"), event_type__among=CALLS_BEGIN, tool=tool
    )
    # A row that has called nothing needs no look at its log
    return Q(tool_calls__gt=0) & Q(_RowByRow(calls.order_by()))


def _has_metadata(key: str, value: str) -> Q:
    # As an expression: a key like `contains` is a name here and no lookup. Nothing is not NULL, so that it can be negated.
    return Q(Exact(Coalesce(Cast(KeyTextTransform(key, "metadata"), CharField()), Value("")), value))


# SQLite chooses an index by how many of its columns are bound: the second column, which says nothing, outweighs the workspace.
def _has_interaction(workspace: Workspace) -> Q:
    return Q(Exists(workspace.interactions.filter(agent_request=OuterRef("pk"), run__gte=0)))


def _has_subagent(workspace: Workspace) -> Q:
    return Q(Exists(workspace.agent_requests.filter(parent=OuterRef("pk"), parent_call__gte="")))


_HAS: Mapping[str, Callable[[Workspace], Q]] = {
    "error": lambda _: Q(status=Status.FAILED),
    "tool_error": lambda _: Q(tool_errors__gt=0),
    "interaction": _has_interaction,
    "subagent": _has_subagent,
}


def _latency(operator: str, milliseconds: Decimal) -> Q:
    """From acceptance to the end; an unfinished request has taken until now, and may take any longer."""
    span = timedelta(milliseconds=float(milliseconds))
    ended = Q(**{f"finished_at{_SUFFIXES[operator]}": F("accepted_at") + span})
    if operator not in {">", ">="}:
        return ended
    return ended | Q(finished_at=None, accepted_at__lt=timezone.now() - span)


def _tokens(operator: str, number: Decimal) -> Q:
    return Q(_COMPARES[operator](F("input_tokens") + F("output_tokens"), int(number)))


def _cost(operator: str, dollars: Decimal) -> Q:
    return Q(**{f"cost_usd{_SUFFIXES[operator]}": dollars})


_AMOUNTS: Mapping[str, Callable[[str, Decimal], Q]] = {"latency": _latency, "tokens": _tokens, "cost": _cost}
