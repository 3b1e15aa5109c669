"""Counts each model call once, in the transaction that writes its event (extensions 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db import connections

from agents.llm.types import LLMTokenUsage
from runtime.models import AgentRequest, DailyUsage, RuntimeEvent
from runtime.usage.prices import price_of
from runtime.usage.totals import COUNTED, METERED, Totals

_TABLE = DailyUsage._meta.db_table
_KEY = ("workspace_id", "day", "agent_name", "user", "provider", "model", "shard")
_KEY_COLUMNS = ", ".join(f'"{name}"' for name in _KEY)
_SUMS = ", ".join(f"{name} = {_TABLE}.{name} + excluded.{name}" for name in COUNTED)
_PLACES = f"({', '.join(['%s'] * (len(_KEY) + len(COUNTED)))})"
MAX_PROVIDER, MAX_MODEL = 50, 200


@dataclass(frozen=True, slots=True, order=True)
class DayKey:
    """One row of the daily sums, its shard apart."""

    day: date
    agent_name: str
    user: str
    provider: str
    model: str


def priced(agent_request: AgentRequest, event_type: str, payload: Mapping[str, Any], at: datetime) -> Mapping[str, Any]:
    """The payload of a model call's event with `cost_usd` and `price`; that of any other event as it is."""
    if event_type not in METERED or "usage" not in payload or "cost_usd" in payload:
        return payload
    usage = LLMTokenUsage.from_dict(payload["usage"])
    provider, model = str(payload.get("provider") or ""), str(payload.get("model") or "")
    price = price_of(agent_request.workspace, provider, model, usage, at=at)
    cost = None if price.cost_usd is None else float(price.cost_usd)
    return {**payload, "provider": provider, "model": model, "cost_usd": cost, "price": price.version}


def used(calls: Sequence[tuple[str, Mapping[str, Any]]]) -> Totals | None:
    """What these events, given as type and payload, add to their request; None when no model was called."""
    total: Totals | None = None
    for event_type, payload in calls:
        if event_type in METERED and "usage" in payload:
            total = (total or Totals()) + Totals.of_call(payload)
    return total


def request_sums(used: Totals | None) -> tuple[str, list[Any]]:
    """What adds `used` to a request's row, as a piece of its UPDATE and the values for it."""
    if used is None:
        return "", []
    raised = [name for name in COUNTED if name != "unknown_price_calls"]
    columns = "".join(f", {name} = {name} + %s" for name in raised)
    unknown = ", has_unknown_price = %s" if used.unknown_price_calls else ""
    return columns + unknown, [*(getattr(used, name) for name in raised), *([True] if unknown else [])]


def count(agent_request: AgentRequest, rows: Sequence[RuntimeEvent], using: str) -> None:
    """Adds the calls among these new events to the daily sums, in one statement."""
    sums: dict[DayKey, Totals] = {}
    for row in rows:
        if row.event_type in METERED and "usage" in row.payload:
            key = day_key(row, user=agent_request.user)
            sums[key] = sums.get(key, Totals()) + Totals.of_call(row.payload)
    if sums:
        add(agent_request.workspace_id, sums, shard=agent_request.pk % DailyUsage.SHARDS, using=using)


def add(workspace_pk: int, sums: Mapping[DayKey, Totals], *, shard: int, using: str) -> None:
    """Raises the rows of these keys, in one order, so that two writers never wait for each other."""
    values: list[Any] = []
    for key in sorted(sums):
        values += [workspace_pk, key.day, key.agent_name, key.user, key.provider, key.model, shard]
        values += [getattr(sums[key], name) for name in COUNTED]
    statement = (
        f"INSERT INTO {_TABLE} ({_KEY_COLUMNS}, {', '.join(COUNTED)})"  # noqa: S608  constants only
        f" VALUES {', '.join([_PLACES] * len(sums))} ON CONFLICT ({_KEY_COLUMNS}) DO UPDATE SET {_SUMS}"
    )
    with connections[using].cursor() as cursor:
        cursor.execute(statement, values)


def day_key(event: RuntimeEvent, *, user: str) -> DayKey:
    return DayKey(
        event.created_at.astimezone(UTC).date(),
        event.agent_name,
        user,
        str(event.payload.get("provider") or "")[:MAX_PROVIDER],
        str(event.payload.get("model") or "")[:MAX_MODEL],
    )
