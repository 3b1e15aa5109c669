"""Makes rows of traces: of one that is named, or of those that have ended since the last time."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from runtime.kinds import TERMINAL
from runtime.models import RuntimeEvent, log_of
from runtime.traces.projection import RuntimeTrace, build_runtime_trace
from runtime.traces.serialise import EventFilter, events_by_request, trace_events
from workflows.code import StepContext, StepFailed, StepResult
from workflows.masher.artifacts import write_artifact
from workflows.masher.models import MasherRow
from workflows.masher.rows import digest_row, eval_row
from workflows.models import WorkflowRun
from workspaces.models import Workspace

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Kind = MasherRow.Kind
_MAKE: Mapping[str, Callable[[RuntimeTrace], dict[str, Any]]] = {Kind.DIGEST: digest_row, Kind.EVAL: eval_row}
# Ends are told by their time, and one may be committed a moment after a later one.
_TRAILING = timedelta(seconds=60)
_BATCH = 500
_MOST_TRACES = 1_000_000


class Wish(BaseModel):
    model_config = ConfigDict(frozen=True)

    target_agent_id: Text


class OneTrace(Wish):
    mode: Literal["trace"]
    session_id: Text
    trace_id: Text


class NewTraces(Wish):
    mode: Literal["incremental"]
    limit: int = Field(100, ge=1, le=_MOST_TRACES, strict=True)


_WISHES: TypeAdapter[OneTrace | NewTraces] = TypeAdapter(Annotated[OneTrace | NewTraces, Field(discriminator="mode")])


def digest_traces(workflow_input: dict[str, Any], context: StepContext) -> StepResult:
    """Keep a diagnostic digest of one trace, or of every trace that has ended since the last run."""
    workspace = Workspace.objects.get(slug=context.workspace)
    wish = _read(workflow_input)
    if isinstance(wish, OneTrace):
        return StepResult(output=digest_row(_one(workspace, wish)))
    return _incremental(workspace, wish, Kind.DIGEST, context.state)


def curate_online_evals(workflow_input: dict[str, Any], context: StepContext) -> StepResult:
    """Keep a row for evals of one trace, or of every trace that has ended since the last run."""
    workspace = Workspace.objects.get(slug=context.workspace)
    wish = _read(workflow_input)
    if isinstance(wish, NewTraces):
        return _incremental(workspace, wish, Kind.EVAL, context.state)
    row = eval_row(_one(workspace, wish))
    appended = _keep(workspace, Kind.EVAL, [row]) == 1
    path = write_artifact(workspace, Kind.EVAL)
    output = {"schema_version": 1, "status": "ok", "artifact_path": str(path), "appended": appended, "record": row}
    return StepResult(output=output)


def _read(workflow_input: Any) -> OneTrace | NewTraces:
    try:
        if isinstance(workflow_input, dict) and isinstance(workflow_input.get("mode"), str):
            workflow_input = {**workflow_input, "mode": workflow_input["mode"].lower()}
        return _WISHES.validate_python(workflow_input)
    except ValidationError as error:
        faults = "; ".join(_told(fault) for fault in error.errors())
        raise StepFailed(faults[:1000], code="invalid_input", retryable=False) from error


def _told(fault: ErrorDetails) -> str:
    if not fault["loc"]:
        return 'The input is an object whose mode is "incremental" or "trace".'
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


def _one(workspace: Workspace, wish: OneTrace) -> RuntimeTrace:
    which = EventFilter(agent_id=wish.target_agent_id, session_id=wish.session_id, trace_id=wish.trace_id)
    events = trace_events(workspace, which)
    if not events:
        text = f"There are no events of the trace {wish.trace_id} of {wish.target_agent_id}."
        raise StepFailed(text, code="trace_not_found", retryable=False)
    return build_runtime_trace(events)


def _incremental(workspace: Workspace, wish: NewTraces, kind: str, state: Mapping[str, Any]) -> StepResult:
    """The state object of contract 7.5: where the next run goes on, and how much this one has done."""
    target = wish.target_agent_id
    since = _since(state, target)
    ends = _ends(workspace, target, kind, since, wish.limit)
    appended = 0
    for start in range(0, len(ends), _BATCH):
        appended += _keep(workspace, kind, _rows(workspace, kind, ends[start : start + _BATCH]))
    path = write_artifact(workspace, kind)
    latest = max([since, *(end.created_at.timestamp() for end in ends)])
    known = state.get("checkpoints") if isinstance(state.get("checkpoints"), dict) else {}
    checkpoint = {"last_run_ts": latest, "last_trace_ids": [str(end.trace_id) for end in ends]}
    output = {
        "schema_version": 1,
        "checkpoints": {**(known or {}), target: checkpoint},
        "processed_trace_count": len(ends),
        "artifact_path": str(path),
        "appended_trace_count": appended,
    }
    return StepResult(output=output, state=output)


def _since(state: Mapping[str, Any], target: str) -> float:
    """Unix seconds; 0 for a checkpoint that is missing or makes no sense."""
    checkpoints = state.get("checkpoints")
    checkpoint = checkpoints.get(target) if isinstance(checkpoints, dict) else None
    since = checkpoint.get("last_run_ts") if isinstance(checkpoint, dict) else None
    return float(since) if isinstance(since, (int, float)) and not isinstance(since, bool) and since > 0 else 0.0


def _ends(workspace: Workspace, target: str, kind: str, since: float, limit: int) -> list[RuntimeEvent]:
    """The ends of traces that are over and were not taken yet, in the order of their time."""
    begin = datetime.fromtimestamp(since, tz=UTC)
    ended = workspace.agent_requests.filter(agent__agent_id=target, status__in=TERMINAL, trace_id__isnull=False)
    # What experiments ask is no use of the agent that others could learn from.
    ended = ended.exclude(parent__workflow_run__trigger=WorkflowRun.Trigger.EXPERIMENT)
    late = ended.filter(finished_at__gt=begin - _TRAILING, finished_at__lte=begin) if since else ended.none()
    rows = workspace.masher_rows.filter(kind=kind, target_agent_id=target)
    known = set(rows.filter(trace_id__in=late.values("trace_id")).values_list("trace_id", flat=True))
    new = ended.filter(finished_at__gt=begin).order_by("finished_at", "pk")[:limit]
    requests = [*late.exclude(trace_id__in=known).values_list("pk", flat=True), *new.values_list("pk", flat=True)]
    taken = workspace.agent_requests.filter(pk__in=requests)
    heads = log_of(taken).filter(sequence=F("agent_request__last_sequence"))
    ends = [end for end in heads.defer("payload").order_by("created_at", "id") if end.trace_id not in known]
    return ends[:limit]


def _rows(workspace: Workspace, kind: str, ends: Sequence[RuntimeEvent]) -> list[dict[str, Any]]:
    """Made in the order of the log, and given in the order of their ends."""
    trace_ids = {end.agent_request_id: str(end.trace_id) for end in ends}
    made = {}
    for key, events in events_by_request(workspace, trace_ids):
        trace = build_runtime_trace([event for event in events if event["trace_id"] == trace_ids[key]])
        made[key] = _MAKE[kind](trace)
    return [made[key] for key in trace_ids]


def _keep(workspace: Workspace, kind: str, rows: Sequence[dict[str, Any]]) -> int:
    """How many of them are new; the others are there already."""
    with transaction.atomic():
        # One at a time, so that two runs at once count what is theirs.
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        there = workspace.masher_rows.filter(kind=kind, trace_id__in=[row["trace_id"] for row in rows])
        known = {(row.target_agent_id, row.session_id, str(row.trace_id)) for row in there}
        new = [row for row in rows if (row["target_agent_id"], row["session_id"], row["trace_id"]) not in known]
        workspace.masher_rows.bulk_create(
            MasherRow(
                workspace=workspace,
                kind=kind,
                target_agent_id=row["target_agent_id"],
                session_id=row["session_id"],
                trace_id=row["trace_id"],
                content=row,
                created_at=timezone.now(),
            )
            for row in new
        )
    return len(new)
