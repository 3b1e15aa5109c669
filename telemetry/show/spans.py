"""A request's work as spans of time, and how they begin and end (web-ui 3.3).

Spans know where their content is (`first`, `last`: sequences), and do not hold it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from telemetry.show.log import LogLine

Kind = Literal["request", "queue", "model", "retry", "tool", "subagent", "wait", "summary", "step"]
ROOT = "request-1"
QUEUED = "queue-1"
SUBAGENT_WAIT = "Waiting for a subagent"


@dataclass(slots=True, kw_only=True)
class Span:
    key: str
    """Stable while the request runs, and unique within it; also part of the row's id."""
    kind: Kind
    name: str
    depth: int
    began: datetime
    ended: datetime | None = None
    """None: it goes on."""
    first: int
    """Sequence of the event that began it, and of the one that ended it."""
    last: int
    loop_index: int | None = None
    error: str = ""
    note: str = ""
    preview: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    child: str = ""
    """Request id of the subagent's work."""
    call_id: str = ""
    """Of the tool call, as the model named it."""
    path: str = ""
    """Of a step: its place in the workflow's run."""
    parent: str = ""
    """Key of the model call that asked for it."""
    children: int = 0

    @property
    def look(self) -> tuple[object, ...]:
        """Whatever of it a row shows."""
        return (
            self.ended,
            self.error,
            self.note,
            self.name,
            self.preview,
            self.child,
            self.input_tokens,
            self.output_tokens,
            self.cost_usd,
            self.children,
        )

    @property
    def took_s(self) -> float | None:
        return (self.ended - self.began).total_seconds() if self.ended else None

    def seconds(self, now: datetime) -> float:
        return max(0.0, ((self.ended or now) - self.began).total_seconds())


@dataclass(slots=True)
class Trace:
    """The spans in the order in which they began, and what the log says beside them."""

    spans: dict[str, Span] = field(default_factory=dict)
    sequence: int = 0
    run: int = 1
    accepted_at: datetime | None = None
    latest_at: datetime | None = None
    is_over: bool = False
    open: dict[str, str] = field(default_factory=dict)
    """What goes on, by what it is: the key of its span."""
    asker: str = ""
    """Key of the model call whose tools run now."""

    def begin(self, role: str, line: LogLine, kind: Kind, name: str, depth: int, **more: Any) -> Span:
        """A span that begins with this event; `role` finds it again when it ends."""
        key = f"{kind}-{line.sequence}"
        span = Span(
            key=key,
            kind=kind,
            name=name,
            depth=depth,
            began=line.at,
            first=line.sequence,
            last=line.sequence,
            loop_index=line.loop_index,
            **more,
        )
        self.spans[key] = span
        self.open[role] = key
        if kind == "model":
            self.asker = key
        elif depth == 2 and (asker := self.spans.get(self.asker)):
            span.parent, asker.children = asker.key, asker.children + 1
        return span

    def end(self, role: str, line: LogLine) -> Span | None:
        key = self.open.pop(role, None)
        if key is None:
            return None
        span = self.spans[key]
        span.ended, span.last = line.at, line.sequence
        return span

    def going_on(self, role: str) -> Span | None:
        key = self.open.get(role)
        return self.spans[key] if key else None

    def end_all(self, line: LogLine, error: str) -> None:
        for role in list(self.open):
            span = self.end(role, line)
            if span and error and span.kind != "request":
                span.error = span.error or error
