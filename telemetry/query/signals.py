"""What turns say about themselves: the signals of a workspace's turns, read once for a whole page (web-ui 3.8)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models.functions import Left

from telemetry.query.ranges import TimeRange
from workspaces.models import Workspace

MOST_TURNS = 2000
PREVIEW = 200
_COLUMNS = ("pk", "created_at", "signals", "session__agent_id", "session__session_id")


@dataclass(frozen=True, slots=True)
class Reading:
    """One turn with its signals."""

    turn_pk: int
    at: datetime
    signals: Mapping[str, Any]
    agent_id: str
    session_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    readings: Sequence[Reading]
    """Newest first."""
    is_capped: bool
    """There are more turns in the span: these are the newest."""

    def of(self, name: str) -> list[Reading]:
        """The turns that have this signal."""
        return [reading for reading in self.readings if name in reading.signals]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTurn:
    """A turn in a table of this page."""

    reading: Reading
    value: Any
    preview: str
    trace_id: str
    """Of the request that made the turn; of a fork's copy that of the first session's."""


def scan_signals(workspace: Workspace, span: TimeRange, *, agent_id: str = "") -> Scan:
    # Only a summary's turn has a type, and no signal is ever taken of it.
    rows = workspace.turns.filter(metadata__type__isnull=True)
    if span.since:
        rows = rows.filter(created_at__gte=span.since)
    if span.until:
        rows = rows.filter(created_at__lt=span.until)
    if agent_id:
        rows = rows.filter(session__agent_id=agent_id)
    found = list(rows.order_by("-created_at", "-pk").values_list(*_COLUMNS)[: MOST_TURNS + 1])
    return Scan(readings=[Reading(*row) for row in found[:MOST_TURNS]], is_capped=len(found) > MOST_TURNS)


def shown_turns(workspace: Workspace, name: str, readings: Sequence[Reading]) -> list[ShownTurn]:
    """With what was asked in each; a link by its trace finds the request."""
    if not readings:
        return []
    rows = workspace.turns.filter(pk__in=[reading.turn_pk for reading in readings])
    preview = Left("user_message", PREVIEW)
    turns = {row["pk"]: row for row in rows.annotate(preview=preview).values("pk", "turn_id", "metadata", "preview")}
    return [
        ShownTurn(
            reading=reading,
            value=reading.signals[name],
            preview=turn["preview"],
            trace_id=str(turn["metadata"].get("trace_id") or turn["turn_id"]),
        )
        for reading in readings
        if (turn := turns.get(reading.turn_pk))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`signal op value`, as an address asks for it."""

    op: str = ""
    value: str = ""
    faults: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.op and self.value and not self.faults)

    def admits(self, signal: Any) -> bool:
        wanted, given = _comparable(self.value), signal
        if self.op == "has":
            return self.value in given if isinstance(given, str | list | dict) else False
        if self.op in ("eq", "ne"):
            return bool((given == wanted) == (self.op == "eq"))
        return _is_number(given) and _ORDERS[self.op](given, float(self.value))


_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "lt": lambda given, wanted: given < wanted,
    "le": lambda given, wanted: given <= wanted,
    "gt": lambda given, wanted: given > wanted,
    "ge": lambda given, wanted: given >= wanted,
}
OPERATORS = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥", "eq": "=", "ne": "≠", "has": "contains"}


def read_condition(parameters: Mapping[str, str]) -> Condition:
    op, value = parameters.get("op", ""), parameters.get("value", "").strip()
    faults = []
    if op and op not in OPERATORS:
        faults.append(f"op: {op} is unknown; choose {', '.join(OPERATORS)}.")
    elif op in _ORDERS and value and not isinstance(_comparable(value), float):
        faults.append(f"value: {value} is no number, which {OPERATORS[op]} needs.")
    return Condition(op=op, value=value, faults=tuple(faults))


def _comparable(text: str) -> float | bool | str:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return float(text)
    except ValueError:
        return text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
