"""What a request's page shows: its header, the rows of its spans, and the one that is looked at."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from runtime.kinds import Status
from runtime.models import AgentRequest
from runtime.usage.family import with_children
from runtime.usage.totals import Totals
from telemetry.show.lanes import Axis, Bar, Tick, axis_of, compressed, long_idle, zoomed
from telemetry.show.log import read_lines, read_many
from telemetry.show.outline import Folding, Stretch, critical_path
from telemetry.show.span_events import FOLDED, fold_event, trace_of
from telemetry.show.spans import QUEUED, ROOT, Span, Trace

_MOST_UNFOLDED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    span: Span
    axis: Axis
    seconds: float
    share: float
    """Of the whole request's time."""
    is_critical: bool = False
    """The end has waited for it."""
    toggle: str = ""
    """What `flip` becomes when it is folded or unfolded; empty where there is nothing to fold."""
    is_unfolded: bool = False
    of: str = ""
    """Request id, for a row of a subagent's work."""

    @property
    def dom_id(self) -> str:
        return f"span-{self.of}{self.span.key}"

    @property
    def bar(self) -> Bar:
        """Worked out where it is shown, which most rows of a long request are not."""
        return self.axis.bar(self.span)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePage:
    agent_request: AgentRequest
    trace: Trace
    axis: Axis
    table: list[Row]
    usage: Totals
    idle_share: float = 0.0
    """Of the time that the page shows, in which nobody worked."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Of the request's own spans, by kind, how many of them failed, and how many calls of models stayed unanswered."""
    inner: Mapping[str, list[Row]] = field(default_factory=dict)
    """Rows of subagents' own work, by the span that called them."""

    @property
    def family(self) -> Totals:
        """With what subagents have used, asked of the database when it is asked for: only the header shows it."""
        return with_children(self.agent_request) if self.counts.get("subagent") else self.usage

    @property
    def ticks(self) -> list[Tick]:
        return self.axis.ticks()

    @property
    def since(self) -> datetime | None:
        """When it came to stand where it does."""
        row = self.agent_request
        return row.finished_at or (row.started_at if row.status == Status.RUNNING else self.trace.latest_at)

    @property
    def queued_s(self) -> float:
        """Without a worker: from acceptance, or a resume, to the moment when somebody took it."""
        return sum(row.seconds for row in self.table if row.span.kind == "queue")

    @property
    def run_s(self) -> float:
        return max(0.0, self.total_s - self.queued_s)

    @property
    def total_s(self) -> float:
        return self.agent_request.elapsed_s


def read_page(
    agent_request: AgentRequest, trace: Trace | None = None, parameters: Mapping[str, str] | None = None
) -> TracePage:
    """Everything but the content of spans. `trace` is one that was folded before; the parameters say what is looked at."""
    asked = parameters or {}
    trace = trace or trace_of(read_lines(agent_request, FOLDED, after=0, up_to=agent_request.last_sequence))
    now = _shown_until(agent_request, trace)
    if root := trace.spans.get(ROOT):
        root.began, root.ended = agent_request.accepted_at, agent_request.finished_at
    if (queued := trace.spans.get(QUEUED)) and queued.ended and agent_request.started_at:
        # To the claim, as everywhere; its event is written some milliseconds later.
        queued.ended = agent_request.started_at
    spans = trace.spans.values()
    axis = axis_of(spans, now, is_growing=not agent_request.is_terminal)
    idle = long_idle(axis, spans)
    axis, whole_s = _looked_at(axis, idle, asked), axis.seconds
    critical = critical_path(spans, now)
    return TracePage(
        agent_request=agent_request,
        trace=trace,
        axis=axis,
        table=[_row(span, axis, whole_s, is_critical=span.key in critical) for span in spans],
        usage=Totals.of_request(agent_request),
        idle_share=sum(end - start for start, end in idle) / whole_s,
        counts=_counts(spans),
        inner=_inner_rows(agent_request, trace, axis, whole_s, asked),
    )


def _counts(spans: Collection[Span]) -> Mapping[str, int]:
    kinds = Counter[str](span.kind for span in spans)
    failed = [span for span in spans if span.error]
    return {
        **kinds,
        "error": sum(span.kind != "request" for span in failed),
        "unanswered": sum(span.kind in {"model", "summary"} for span in failed),
    }


def _row(span: Span, axis: Axis, whole_s: float, *, is_critical: bool = False, of: str = "") -> Row:
    seconds = span.seconds(axis.now)
    return Row(span=span, axis=axis, seconds=seconds, share=seconds / whole_s, is_critical=is_critical, of=of)


def _looked_at(axis: Axis, idle: list[Stretch], asked: Mapping[str, str]) -> Axis:
    """All of the time, or a part of it, or all of it without its idle stretches."""
    try:
        since, until = float(asked.get("t0") or 0), float(asked.get("t1") or axis.seconds)
    except ValueError:
        since, until = 0.0, axis.seconds
    if "t0" in asked or "t1" in asked:
        return zoomed(axis, since, until)
    return compressed(axis, idle) if asked.get("gaps") == "1" else axis


def _inner_rows(
    agent_request: AgentRequest, trace: Trace, axis: Axis, whole_s: float, asked: Mapping[str, str]
) -> dict[str, list[Row]]:
    """Of the subagents that are unfolded: three statements, however many they are."""
    folding = folding_of(trace, asked)
    wanted = {span.child: span for span in trace.spans.values() if span.child and not folding.folds(span)}
    children = _children(agent_request, list(wanted)[:_MOST_UNFOLDED])
    inner = {row.pk: Trace() for row in children}
    for pk, line in read_many(children, FOLDED):
        fold_event(inner[pk], line)
    callers = {row.pk: wanted[str(row.request_id)] for row in children}
    return {caller.key: _inner(inner[pk], caller, axis, whole_s) for pk, caller in callers.items()}


def _children(agent_request: AgentRequest, request_ids: list[str]) -> list[AgentRequest]:
    if not request_ids:
        return []
    return list(agent_request.children.select_related("workspace").filter(request_id__in=request_ids))


def _inner(trace: Trace, caller: Span, axis: Axis, whole_s: float) -> list[Row]:
    for span in trace.spans.values():
        span.depth += caller.depth + 1
    return [_row(span, axis, whole_s, of=caller.child) for span in trace.spans.values()]


def _shown_until(agent_request: AgentRequest, trace: Trace) -> datetime:
    """Now while it runs; a request that nobody works on ends, for the eye, with its latest event."""
    latest = trace.latest_at or agent_request.accepted_at
    if agent_request.status in {Status.RUNNING, Status.PAUSED}:
        return max(timezone.now(), latest)
    return max(agent_request.finished_at or latest, latest) + timedelta(milliseconds=1)


def folding_of(trace: Trace, parameters: Mapping[str, str]) -> Folding:
    flipped = [key for key in parameters.get("flip", "").split(",") if key]
    everything = parameters.get("fold", "")
    return Folding(len(trace.spans), everything if everything in {"all", "none"} else "", flipped)
