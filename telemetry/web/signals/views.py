"""What turns say about themselves: which signals there are, how they are spread, and the turns at their ends (web-ui 3.8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse

from agents.catalogue import load_apps
from agents.signals import get_signal_definitions
from telemetry.query.ranges import TimeRange, read_range
from telemetry.query.signals import (
    OPERATORS,
    Condition,
    Reading,
    Scan,
    ShownTurn,
    read_condition,
    scan_signals,
    shown_turns,
)
from telemetry.show import figures
from telemetry.show.distribution import Distribution, distribution, measure, over_time
from telemetry.web.visit import Visit, screen
from workspaces.models import Workspace
from workspaces.roles import Scope

DEFAULT_RANGE = "7d"
AT_EACH_END = 10
MOST_MATCHES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRow:
    name: str
    definition: Mapping[str, Any] | None
    """None for one that stored turns have and no code registers any more."""
    readings: Sequence[Reading]
    spread: Distribution
    turns: int
    """All that were read."""

    @property
    def coverage(self) -> str:
        return figures.percent(len(self.readings), self.turns)


@screen("signals", Scope.TELEMETRY_READ)
def signal_catalogue(visit: Visit) -> HttpResponse:
    parameters = visit.request.GET.dict()
    span, faults = read_range(parameters, default=DEFAULT_RANGE)
    condition = read_condition(parameters)
    agent_id = parameters.get("agent", "").strip().replace("\x00", "\ufffd")
    scan = scan_signals(visit.workspace, span, agent_id=agent_id)
    catalogue = _catalogue(scan)
    chosen = _chosen(catalogue, parameters.get("signal", ""))
    if parameters.get("signal") and chosen is None:
        faults.append(f"signal: {parameters['signal']} is neither registered nor in these turns.")
    context = {
        "span": span,
        "agent": agent_id,
        "faults": [*faults, *condition.faults],
        "scan": scan,
        "catalogue": catalogue,
        "chosen": chosen,
        "condition": condition,
        "operators": OPERATORS,
        "is_narrow": bool(agent_id or span.preset != DEFAULT_RANGE),
        **(_detail(visit.workspace, chosen, span, condition) if chosen and chosen.readings else {}),
    }
    return visit.render("web/signals/page.html", context, partials={"results"})


def _catalogue(scan: Scan) -> list[CatalogueRow]:
    """The registered ones in their order, then what else turns have."""
    load_apps()
    definitions = get_signal_definitions()
    found: dict[str, list[Reading]] = {name: [] for name in definitions}
    for reading in scan.readings:
        for name in reading.signals:
            found.setdefault(name, []).append(reading)
    return [
        CatalogueRow(
            name=name,
            definition=definitions.get(name),
            readings=readings,
            spread=distribution([reading.signals[name] for reading in readings]),
            turns=len(scan.readings),
        )
        for name, readings in found.items()
    ]


def _chosen(catalogue: Sequence[CatalogueRow], name: str) -> CatalogueRow | None:
    """The one that is asked for; else the first with numbers, which says most, or the first with anything."""
    if name:
        return next((row for row in catalogue if row.name == name), None)
    with_values = [row for row in catalogue if row.readings]
    return next((row for row in with_values if row.spread.kind == "number"), with_values[0] if with_values else None)


def _detail(workspace: Workspace, row: CatalogueRow, span: TimeRange, condition: Condition) -> dict[str, Any]:
    measured = [
        (reading, value) for reading in row.readings if (value := measure(reading.signals[row.name])) is not None
    ]
    since, until = _ends(span, row.readings)
    series, names = over_time([(reading.agent_id, reading.at, value) for reading, value in measured], since, until)
    context = {"series": series, "names": names, "since": since, "until": until}
    context["highest_mean"] = max((abs(point) for each in series for point in each.points if point), default=1.0)
    if condition:
        matching = [reading for reading in row.readings if condition.admits(reading.signals[row.name])]
        shown = shown_turns(workspace, row.name, matching[:MOST_MATCHES])
        return context | {"matching": len(matching), "tables": [("Turns that match, newest first", shown)]}
    return context | {"tables": _ends_of(workspace, row.name, measured)}


def _ends_of(
    workspace: Workspace, name: str, measured: Sequence[tuple[Reading, float]]
) -> list[tuple[str, Sequence[ShownTurn]]]:
    """The turns with the highest and those with the lowest values; few turns are one table."""
    ordered = [reading for reading, _ in sorted(measured, key=lambda pair: -pair[1])]
    if len(ordered) <= AT_EACH_END:
        return [("Highest first", shown_turns(workspace, name, ordered))] if ordered else []
    highest, lowest = ordered[:AT_EACH_END], ordered[AT_EACH_END:][-AT_EACH_END:][::-1]
    shown = shown_turns(workspace, name, [*highest, *lowest])
    return [("Highest", shown[:AT_EACH_END]), ("Lowest", shown[AT_EACH_END:])]


def _ends(span: TimeRange, readings: Sequence[Reading]) -> tuple[datetime, datetime]:
    """Where the span is open, or more than was read, the time of the turns themselves."""
    since, until = span.ends
    return max(since, readings[-1].at) if span.since else readings[-1].at, until
