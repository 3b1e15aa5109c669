"""Which requests: from the parameters of an address to rows, the same for a list, its stream, its charts and its exports."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.db.models import F
from django.db.models.functions import Left

from runtime.models.request import AgentRequestQuerySet
from telemetry.query.conditions import condition
from telemetry.query.grammar import Expression, Fault, Group, Negated, parse, together
from telemetry.query.measures import MillisecondsBetween
from telemetry.query.ranges import TimeRange, read_range
from telemetry.query.terms import PARAMETERS, TEXT, BadTerm, Term, read_parameter
from workspaces.models import Workspace

PREVIEW = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    span: TimeRange
    expression: Group = field(default_factory=Group)
    faults: tuple[Fault, ...] = ()
    """What was asked for and cannot be found out: said, never dropped in silence."""
    hint: str = ""
    """What of the answer may surprise."""

    @property
    def is_understood(self) -> bool:
        return not self.faults

    def apply(self, workspace: Workspace) -> AgentRequestQuerySet:
        """None at all where something was asked for that is not understood: others than those meant would be shown."""
        if not self.is_understood:
            return workspace.agent_requests.none()
        rows = workspace.agent_requests.filter(condition(self.expression, workspace))
        if self.span.since:
            rows = rows.filter(accepted_at__gte=self.span.since)
        if self.span.until:
            rows = rows.filter(accepted_at__lt=self.span.until)
        return rows


def read_request_filter(parameters: Mapping[str, str]) -> RequestFilter:
    span, told = read_range(parameters)
    faults = [Fault(text) for text in told]
    terms: list[Expression] = []
    hint = ""
    for name, text in parameters.items():
        if name in PARAMETERS and text:
            try:
                terms.append(read_parameter(name, text))
            except BadTerm as error:
                faults.append(Fault(f"{name}={text[:40]}: {error}"))
    asked = parse(parameters.get("q", ""))
    expression = together([*terms, asked.expression])
    if span.since is None and _has_text(expression):
        span = replace(span, since=span.ends[0], preset="30d" if span.preset else "")
        hint = "Words are looked for in 30 days at most; choose other days with from and to."
    return RequestFilter(span=span, expression=expression, faults=(*faults, *asked.faults), hint=hint)


def _has_text(expression: Expression) -> bool:
    """Whether the long texts of messages must be read."""
    if isinstance(expression, Negated):
        return _has_text(expression.part)
    if isinstance(expression, Term):
        return expression.key == TEXT
    return any(_has_text(part) for part in expression.parts)


def for_list(rows: AgentRequestQuerySet) -> AgentRequestQuerySet:
    """With what a row of a list shows, and no more: long texts are cut by the database. The latest first."""
    return (
        rows.annotate(
            agent_name=F("agent__agent_id"),
            version=F("agent_version__number"),
            preview=Left("message", PREVIEW),
            queued_ms=MillisecondsBetween("accepted_at", "started_at"),
        )
        .defer("message", "context", "metadata", "limits", "structured_output", "invoke_options", "attachments")
        .order_by("-accepted_at", "-pk")
    )
