"""The daily sums of usage against the log: one statement per workspace, so that both sides are of the same moment."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connections, router

from runtime.models import AgentRequest, DailyUsage, RuntimeEvent
from runtime.usage import meter
from runtime.usage.meter import MAX_MODEL, MAX_PROVIDER, DayKey
from runtime.usage.prices import SMALLEST
from runtime.usage.totals import COUNTED, METERED, TOKENS, Totals
from runtime.verify.difference import Difference
from workspaces.models import Workspace

_EVENTS, _REQUESTS, _SUMS = (model._meta.db_table for model in (RuntimeEvent, AgentRequest, DailyUsage))
_KEY = 'day, agent_name, "user", provider, model'
_SAME_COST = Decimal("0.0000001")


class _Postgresql:
    """JSON and days in PostgreSQL's words."""

    day = "(e.created_at AT TIME ZONE 'UTC')::date"

    @staticmethod
    def text(name: str) -> str:
        return f"(e.payload ->> '{name}')"

    @staticmethod
    def decimal(name: str) -> str:
        return f"(e.payload ->> '{name}')::numeric"

    @staticmethod
    def number(group: str, name: str) -> str:
        return f"COALESCE((e.payload #>> '{{{group},{name}}}')::bigint, 0)"


class _Sqlite:
    """The same in SQLite's, which keeps times as text in UTC."""

    day = "date(e.created_at)"

    @staticmethod
    def text(name: str) -> str:
        return f"json_extract(e.payload, '$.{name}')"

    @staticmethod
    def decimal(name: str) -> str:
        return f"json_extract(e.payload, '$.{name}')"

    @staticmethod
    def number(group: str, name: str) -> str:
        return f"COALESCE(json_extract(e.payload, '$.{group}.{name}'), 0)"


def compare_daily(workspace: Workspace, *, since: date | None) -> Iterator[tuple[Difference, DayKey, Totals]]:
    """Each day's sum that is not what the log adds up to, with what is missing from it.

    Days from which payloads were erased are left out for the agents concerned: their log no longer knows.
    """
    for day, agent_name, user, provider, model, *sums in _differing(workspace, since):
        key = DayKey(day if isinstance(day, date) else date.fromisoformat(day), agent_name, user, provider, model)
        missing = Totals(**{name: _number(name, value) for name, value in zip(COUNTED, sums, strict=True)})
        where = " ".join(("usage of", str(key.day), *filter(None, (agent_name, user, provider, model))))
        shown = ", ".join(f"{name} {getattr(missing, name):+}" for name in COUNTED if getattr(missing, name))
        yield Difference(where=where, what=f"the log has more by {shown}", is_repairable=True), key, missing


def add_missing(workspace: Workspace, key: DayKey, missing: Totals) -> None:
    """Sums are only ever added to, so this may run beside others."""
    meter.add(workspace.pk, {key: missing}, shard=0, using=router.db_for_write(DailyUsage))


def _number(name: str, value: Any) -> Any:
    return Decimal(str(value)).quantize(SMALLEST) if name == "cost_usd" else int(value)


def _differing(workspace: Workspace, since: date | None) -> list[tuple[Any, ...]]:
    connection = connections[router.db_for_read(RuntimeEvent)]
    words = _Postgresql if connection.vendor == "postgresql" else _Sqlite
    kinds = [str(kind) for kind in METERED]
    values: list[Any] = [workspace.pk, workspace.pk, *kinds, since or date.min, workspace.pk, *kinds]
    with connection.cursor() as cursor:
        cursor.execute(_statement(words), values)
        return list(cursor.fetchall())


def _statement(words: type[_Postgresql | _Sqlite]) -> str:
    """Takes what is stored away from what the log says, group by group, and keeps what is left over."""
    kinds = ", ".join(["%s"] * len(METERED))
    metered = f"e.workspace_id = %s AND e.event_type IN ({kinds})"
    calls = ", ".join(f"{words.number('usage', name)} AS {name}" for name in TOKENS)
    unequal = " OR ".join(f"SUM({name}) <> 0" for name in COUNTED if name != "cost_usd")
    return f"""
        SELECT {_KEY}, {", ".join(f"SUM({name})" for name in COUNTED)} FROM (
            SELECT {_KEY}, {", ".join(f"-{name} AS {name}" for name in COUNTED)} FROM {_SUMS} WHERE workspace_id = %s
            UNION ALL
            SELECT {words.day} AS day, e.agent_name AS agent_name, r."user" AS "user",
                substr(COALESCE({words.text("provider")}, ''), 1, {MAX_PROVIDER}) AS provider,
                substr(COALESCE({words.text("model")}, ''), 1, {MAX_MODEL}) AS model,
                1 AS model_calls, CASE WHEN {words.text("cost_usd")} IS NULL THEN 1 ELSE 0 END AS unknown_price_calls,
                {calls}, COALESCE({words.decimal("cost_usd")}, 0) AS cost_usd
            FROM {_EVENTS} e JOIN {_REQUESTS} r ON r.id = e.agent_request_id
            WHERE {metered} AND {words.text("usage")} IS NOT NULL
        ) AS both_sides
        WHERE day >= %s AND (day, agent_name) NOT IN (
            SELECT {words.day}, e.agent_name FROM {_EVENTS} e WHERE {metered} AND {words.text("usage")} IS NULL
        )
        GROUP BY {_KEY} HAVING {unequal} OR ABS(SUM(cost_usd)) > {_SAME_COST} ORDER BY {_KEY}
    """  # noqa: S608  constants only
