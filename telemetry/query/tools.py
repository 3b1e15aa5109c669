"""How the tools of an agent do, from the events that end their calls."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models.fields.json import KT

from runtime.kinds import EventKind
from telemetry.query.measures import percentile
from telemetry.query.ranges import TimeRange
from workspaces.models import Workspace

MOST_CALLS = 2000
_ENDS = (EventKind.TOOL_COMPLETED, EventKind.SUBAGENT_COMPLETED)
# How the databases write what is true in JSON.
_TRUE = ("true", "1", 1, True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFigures:
    name: str
    calls: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    tools: Sequence[ToolFigures]
    """Most called first."""
    is_capped: bool
    """There were more calls than are read; these are the newest."""


def tool_use(workspace: Workspace, agent_id: str, span: TimeRange) -> ToolUse:
    since, until = span.ends
    ends = workspace.events.filter(agent_name=agent_id, event_type__in=_ENDS, created_at__gte=since)
    found = list(
        ends.filter(created_at__lt=until)
        .order_by("-id")
        .values_list(
            KT("payload__tool_name"), KT("payload__duration_ms"), KT("payload__result__is_error"), "created_at"
        )[: MOST_CALLS + 1]
    )
    calls: defaultdict[str, list[Any]] = defaultdict(list)
    for name, *call in found[:MOST_CALLS]:
        calls[name or ""].append(call)
    tools = [_figures(name, part) for name, part in calls.items()]
    return ToolUse(tools=sorted(tools, key=lambda tool: (-tool.calls, tool.name)), is_capped=len(found) > MOST_CALLS)


def _figures(name: str, calls: list[Any]) -> ToolFigures:
    durations = sorted(int(float(duration_ms or 0)) for duration_ms, _, _ in calls)
    return ToolFigures(
        name=name,
        calls=len(calls),
        errors=sum(is_error in _TRUE for _, is_error, _ in calls),
        p50_ms=percentile(durations, 0.5),
        p95_ms=percentile(durations, 0.95),
        last_at=calls[0][2],
    )
