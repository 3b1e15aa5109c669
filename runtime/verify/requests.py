"""Request rows against their logs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from runtime.models import AgentRequest
from runtime.tally import TALLIED
from runtime.usage.totals import COUNTED, Totals
from runtime.verify.difference import Difference
from runtime.verify.facts import Facts

# Row and event of one moment take their time from the clock one after the other.
_SAME_MOMENT = timedelta(seconds=60)
_CENT_FRACTION = Decimal("0.00000001")


def compare(row: AgentRequest, facts: Facts) -> Iterator[Difference]:
    """What the row says otherwise than the log, and what is wrong with the log itself.

    By a broken log nothing is set right; nor is an end taken back, for that would make the request run again.
    """
    where = f"request {row.request_id}"
    is_broken = bool(facts.faults) or (row.is_terminal and facts.status is None)
    for fault in facts.faults:
        yield Difference(where=where, what=fault)
    if row.is_terminal and facts.status is None:
        yield Difference(where=where, what=f"status is {row.status}, the log has no end")
    for difference in _differences(where, row, facts):
        yield replace(difference, repair={}) if is_broken else difference


def _differences(where: str, row: AgentRequest, facts: Facts) -> Iterator[Difference]:
    for column, stored, logged in _pairs(row, facts):
        if stored != logged:
            what = f"{column} is {_shown(stored)}, the log says {_shown(logged)}"
            yield Difference(where=where, what=what, repair={column: logged})
    yield from _sums(where, row, facts)
    yield from _times(where, row, facts)


def _pairs(row: AgentRequest, facts: Facts) -> Iterator[tuple[str, Any, Any]]:
    yield "last_sequence", row.last_sequence, facts.last_sequence
    yield "run", row.run, facts.run
    if facts.trace_ids:
        known = row.trace_id if row.trace_id in facts.trace_ids else min(facts.trace_ids)
        yield "trace_id", row.trace_id, known
    if facts.status is None:
        return
    yield "status", row.status, str(facts.status)
    yield "lease_owner", row.lease_owner, ""
    if facts.is_erased:
        return
    if facts.reason:
        yield "reason", row.reason, facts.reason
    yield "error", dict(row.error) if row.error else None, dict(facts.error) if facts.error else None


def _sums(where: str, row: AgentRequest, facts: Facts) -> Iterator[Difference]:
    if facts.is_erased:
        return
    for name in TALLIED:
        if getattr(row, name) != getattr(facts.tally, name):
            what = f"{name} is {_shown(getattr(row, name))}, the log says {_shown(getattr(facts.tally, name))}"
            yield Difference(where=where, what=what, repair={name: getattr(facts.tally, name)})
    stored = Totals.of_request(row)
    for name in COUNTED:
        has, logged = getattr(stored, name), getattr(facts.usage, name)
        if name == "unknown_price_calls":
            if bool(has) != bool(logged):
                what = f"has_unknown_price is {bool(has)}, the log says {bool(logged)}"
                yield Difference(where=where, what=what, repair={"has_unknown_price": bool(logged)})
        elif abs(has - logged) > _CENT_FRACTION:
            yield Difference(where=where, what=f"{name} is {has}, the log says {logged}", repair={name: logged})


def _times(where: str, row: AgentRequest, facts: Facts) -> Iterator[Difference]:
    moments: list[tuple[str, datetime | None, datetime | None]] = [
        ("accepted_at", row.accepted_at, facts.accepted_at),
        ("finished_at", row.finished_at, facts.ended_at),
    ]
    if facts.trace_started_at and not (row.started_at and row.started_at <= facts.trace_started_at + _SAME_MOMENT):
        moments.append(("started_at", row.started_at, facts.trace_started_at))
    for column, stored, logged in moments:
        is_same = stored is logged or (stored and logged and abs(stored - logged) <= _SAME_MOMENT)
        if not is_same:
            what = f"{column} is {_shown(stored)}, the log says {_shown(logged)}"
            yield Difference(where=where, what=what, repair={column: logged})


def _shown(value: Any) -> str:
    text = "empty" if value in (None, "") else str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
