"""The daily sums of usage against the log: one statement per workspace, so that both sides are of the same moment."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connections, router

from runtime.models import AgentRequest, DailyUsage, RuntimeEvent
from runtime.usage import meter
from runtime.usage.meter import MAX_MODEL, MAX_PROVIDER, DayKey
from runtime.usage.totals import COUNTED, METERED, TOKENS, Totals
from runtime.verify.difference import Difference
from workspaces.models import Workspace

_EVENTS, _REQUESTS, _SUMS = (model._meta.db_table for model in (RuntimeEvent, AgentRequest, DailyUsage))
_KEY = 'day, agent_name, "user", provider, model'
_SAME_COST = Decimal("0.0000001")


def compare_daily(workspace: Workspace, *, since: date | None) -> Iterator[tuple[Difference, DayKey, Totals]]:
    """Each day's sum that is not what the log adds up to, with what is missing from it.

    Days from which payloads were erased are left out for the agents concerned: their log no longer knows.
    """
    for row in _differing(workspace, since):
        *parts, when = list(row[1:5]), row[0]
        key = DayKey(when if isinstance(when, date) else date.fromisoformat(when), *parts[0])
        missing = Totals(**dict(zip(COUNTED, (_number(name, value) for name, value in zip(COUNTED, row[5:], strict=True)), strict=True)))
        where = f"usage of {key.day} {key.agent_name} {key.user} {key.provider} {key.model}".replace("  ", " ")
        shown = ", ".join(f"{name} {getattr(missing, name):+}" for name in COUNTED if getattr(missing, name))
        yield Difference(where=where, what=f"the log has more by {shown}", repair={"add": missing}), key, missing


def add_missing(workspace: Workspace, key: DayKey, missing: Totals) -> None:
    """Sums are only ever added to, so this may run beside others."""
    using = router.db_for_write(DailyUsage)
    meter.add(workspace.pk, {key: missing}, shard=0, using=using)


def _number(name: str, value: Any) -> Any:
    if name != "cost_usd":
        return int(value)
    return Decimal(str(value)).quantize(Decimal("0.000000001"))


def _differing(workspace: Workspace, since: date | None) -> Sequence[Sequence[Any]]:
    connection = connections[router.db_for_read(RuntimeEvent)]
    json = _Postgresql if connection.vendor == "postgresql" else _Sqlite
    unequal = " OR ".join(f"SUM({name}) <> 0" for name in COUNTED if name != "cost_usd")
    logged = f"{json.day} AS day, e.agent_name AS agent_name"
    metered = f"e.workspace_id = %s AND e.event_type IN ({', '.join(['%s'] * len(METERED))})"
    calls = ", ".join(f"{json.number('usage', name)} AS {name}" for name in TOKENS)
    statement = f"""
        SELECT {_KEY}, {", ".join(f"SUM({name})" for name in COUNTED)} FROM (
            SELECT {_KEY}, {", ".join(f"-{name} AS {name}" for name in COUNTED)} FROM {_SUMS} WHERE workspace_id = %s
            UNION ALL
            SELECT {logged}, r."user" AS "user",
                substr(COALESCE({json.text("provider")}, ''), 1, {MAX_PROVIDER}) AS provider,
                substr(COALESCE({json.text("model")}, ''), 1, {MAX_MODEL}) AS model,
                1 AS model_calls, CASE WHEN {json.text("cost_usd")} IS NULL THEN 1 ELSE 0 END AS unknown_price_calls,
                {calls}, COALESCE({json.decimal("cost_usd")}, 0) AS cost_usd
            FROM {_EVENTS} e JOIN {_REQUESTS} r ON r.id = e.agent_request_id
            WHERE {metered} AND {json.text("usage")} IS NOT NULL
        ) AS both_sides
        WHERE day >= %s AND NOT EXISTS (
            SELECT 1 FROM (
                SELECT DISTINCT {logged} FROM {_EVENTS} e WHERE {metered} AND {json.text("usage")} IS NULL
            ) AS erased WHERE erased.day = both_sides.day AND erased.agent_name = both_sides.agent_name
        )
        GROUP BY {_KEY} HAVING {unequal} OR ABS(SUM(cost_usd)) > {_SAME_COST} ORDER BY {_KEY}
    """  # noqa: S608  constants only
    kinds = [str(kind) for kind in METERED]
    with connection.cursor() as cursor:
        cursor.execute(statement, [workspace.pk, workspace.pk, *kinds, since or date.min, workspace.pk, *kinds])
        return cursor.fetchall()
