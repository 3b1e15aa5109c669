"""What of many spans matters: the ones that the end waited for, the time in which nobody worked, and what may be folded."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from telemetry.show.spans import SUBAGENT_WAIT, Span

Stretch = tuple[float, float]
_WORK = {"model", "summary", "tool", "subagent"}
_UNFOLDED_UP_TO = 200


def critical_path(spans: Iterable[Span], now: datetime) -> frozenset[str]:
    """Keys of the spans that the end waited for: from the end back, always the one that ended last before."""
    leaves = [
        span for span in spans if span.kind != "request" and not (span.kind == "model" and span.seconds(now) == 0)
    ]
    leaves.sort(key=lambda span: span.ended or now, reverse=True)
    path, until = set(), now
    for span in leaves:
        if (span.ended or now) <= until:
            path.add(span.key)
            until = span.began
    return frozenset(path)


def idle_stretches(spans: Collection[Span], began: datetime, ended: datetime) -> list[Stretch]:
    """Seconds after `began` in which no model and no tool worked: queues, pauses, lost workers."""
    total = (ended - began).total_seconds()
    work = _merged(_stretch(span, began, ended) for span in spans if span.kind in _WORK)
    edges = [0.0, *(moment for stretch in work for moment in stretch), total]
    # A call of a tool goes on while a person is asked about it.
    waits = [_stretch(span, began, ended) for span in spans if span.kind == "wait" and span.name != SUBAGENT_WAIT]
    idle = _merged([*zip(edges[::2], edges[1::2], strict=True), *waits])
    return [(max(0.0, start), min(end, total)) for start, end in idle if end > start]


def _stretch(span: Span, began: datetime, ended: datetime) -> Stretch:
    return (span.began - began).total_seconds(), ((span.ended or ended) - began).total_seconds()


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    merged: list[Stretch] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


@dataclass(frozen=True, slots=True)
class Folding:
    """What is folded away of a trace: by itself, by the word for everything, and by hand."""

    count: int
    """Spans of the trace: model calls of a short one show their tools, subagents never show theirs unasked."""
    everything: str = ""
    """`all` folds everything, `none` nothing."""
    flipped: Sequence[str] = ()
    """Keys of the spans that somebody has folded or unfolded by hand."""

    def folds(self, span: Span) -> bool:
        by_itself = span.kind == "subagent" or self.count > _UNFOLDED_UP_TO
        if self.everything:
            by_itself = self.everything == "all"
        return by_itself != (span.key in self.flipped)

    def hidden(self, spans: Iterable[Span]) -> set[str]:
        """Keys of what is folded away. Errors and what goes on always show."""
        spans = list(spans)
        folded = {span.key for span in spans if span.children and self.folds(span)}
        return {span.key for span in spans if span.parent in folded and not span.error and span.ended is not None}
