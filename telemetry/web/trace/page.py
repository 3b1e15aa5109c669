"""What a request's page shows: its header, the rows of its spans, and the one that is looked at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from runtime.kinds import Status
from runtime.models import AgentRequest
from runtime.usage.family import with_children
from runtime.usage.totals import Totals
from telemetry.show.lanes import Axis, Bar, Tick, axis_of
from telemetry.show.log import read_lines
from telemetry.show.spans import FOLDED, ROOT, Span, Trace, trace_of

# Above this, models and tools that went well stay folded into their step
MOST_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    span: Span
    bar: Bar
    seconds: float
    share: float
    """Of the whole request's time."""

    @property
    def dom_id(self) -> str:
        return f"span-{self.span.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePage:
    agent_request: AgentRequest
    trace: Trace
    axis: Axis
    table: list[Row]
    usage: Totals
    family: Totals

    @property
    def ticks(self) -> list[Tick]:
        return self.axis.ticks()

    @property
    def queued_s(self) -> float:
        """Without a worker: from acceptance, or a resume, to the moment when somebody took it."""
        return sum(row.seconds for row in self.table if row.span.kind == "queue")

    @property
    def run_s(self) -> float:
        return max(0.0, self.total_s - self.queued_s)

    @property
    def total_s(self) -> float:
        until = self.agent_request.finished_at or timezone.now()
        return (until - self.agent_request.accepted_at).total_seconds()

    @property
    def counts(self) -> Mapping[str, int]:
        spans = [row.span for row in self.table]
        kinds = ("model", "tool", "subagent")
        return {
            **{kind: sum(span.kind == kind for span in spans) for kind in kinds},
            "error": sum(bool(span.error) for span in spans if span.kind != "request"),
        }


def read_page(agent_request: AgentRequest, trace: Trace | None = None) -> TracePage:
    """Everything but the content of spans. `trace` is one that was folded before."""
    trace = trace or trace_of(read_lines(agent_request, FOLDED, after=0, up_to=agent_request.last_sequence))
    now = _shown_until(agent_request, trace)
    if root := trace.spans.get(ROOT):
        root.began, root.ended = agent_request.accepted_at, agent_request.finished_at
    axis = axis_of(trace.spans.values(), now, is_growing=not agent_request.is_terminal)
    rows = [
        Row(span=span, bar=axis.bar(span), seconds=span.seconds(now), share=span.seconds(now) / axis.seconds)
        for span in trace.spans.values()
    ]
    has_children = any(span.kind == "subagent" for span in trace.spans.values())
    usage = Totals.of_request(agent_request)
    return TracePage(
        agent_request=agent_request,
        trace=trace,
        axis=axis,
        table=rows,
        usage=usage,
        family=with_children(agent_request) if has_children else usage,
    )


def _shown_until(agent_request: AgentRequest, trace: Trace) -> datetime:
    """Now while it runs; a request that nobody works on ends, for the eye, with its latest event."""
    latest = trace.latest_at or agent_request.accepted_at
    if agent_request.status in {Status.RUNNING, Status.PAUSED}:
        return max(timezone.now(), latest)
    return max(agent_request.finished_at or latest, latest) + timedelta(milliseconds=1)


def chosen(page: TracePage, parameters: Mapping[str, str]) -> list[Row]:
    """The rows that the filters leave: kinds, errors, a share of the whole, words."""
    rows, show, words = page.table, parameters.get("show", ""), parameters.get("find", "").strip().lower()
    tests: dict[str, Callable[[Row], bool]] = {
        "errors": lambda row: bool(row.span.error),
        "long": lambda row: row.share >= 0.1,
        "model": lambda row: row.span.kind in {"model", "summary"},
        "tool": lambda row: row.span.kind in {"tool", "subagent"},
    }
    if show in tests:
        rows = [row for row in rows if tests[show](row)]
    if words:
        rows = [row for row in rows if words in f"{row.span.name} {row.span.preview} {row.span.error}".lower()]
    return rows
