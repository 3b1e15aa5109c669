"""What comes next in a run, from its definition and what its log says. Pure: no clock, no database, no effects.

A step's place is a path: `triage`, inside a map `each/3/summarise`, inside a branch or a parallel step `both/left/draft`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from workflows.definition import (
    MOST_ITEMS,
    AnyStep,
    BranchStep,
    MapStep,
    ParallelStep,
    WorkflowDefinition,
)
from workflows.expressions import ExpressionFailed, evaluate, is_true

INTERRUPTED = "interrupted"
"""Code of an attempt that was lost with its worker."""
STOPPED = "stopped"
"""Code of what was in vain, as a step beside it has failed."""

Data = Mapping[str, Any]
Path = str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepError:
    code: str
    message: str
    is_final: bool = False
    """Trying again would come to the same."""

    def as_json(self) -> dict[str, Any]:
        return {"error_code": self.code, "error": self.message, "retryable": not self.is_final}


@dataclass(slots=True, kw_only=True)
class Node:
    """What has become of a step that does something."""

    status: Literal["going", "retrying", "completed", "failed", "skipped"]
    attempt: int = 1
    tries: int = 1
    """Attempts since the run began or was resumed, without those that were lost and may be made again."""
    output: Any = None
    error: StepError | None = None
    began: datetime | None = None
    retry_at: datetime | None = None
    state: Mapping[str, Any] | None = None
    """What it leaves for this step of the next run."""
    state_revision: int | None = None
    """Of the state that it was given."""

    @property
    def next_try(self) -> int:
        """`tries` of the attempt after this one."""
        was_lost = self.status == "retrying" and self.error is not None and self.error.code == INTERRUPTED
        return self.tries if was_lost else self.tries + 1


@dataclass(slots=True)
class Progress:
    """What has happened so far."""

    input: Any
    run: Data = field(default_factory=dict)
    nodes: dict[Path, Node] = field(default_factory=dict)
    signals: dict[str, list[Any]] = field(default_factory=dict)
    """Payloads by name, in the order in which they came."""
    broken: frozenset[Path] = frozenset()
    """Of the steps that ended the latest run of it."""
    settled: dict[Path, "Outcome"] = field(default_factory=dict)
    """Outcomes that follow from the nodes, so that they are worked out once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    state: Literal["open", "done", "failed"]
    output: Any = None
    path: Path = ""
    """Of the step that failed."""
    beside: tuple[Path, ...] = ()
    """Of those that failed beside it, before they could be stopped."""
    error: StepError | None = None

    @property
    def was_stopped(self) -> bool:
        return self.error is not None and self.error.code == STOPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    path: Path
    step: AnyStep
    attempt: int
    input: Any
    data: Data
    """What its texts are filled from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """Begun and not finished: in this process, in a child, or with a person."""

    path: Path
    step: AnyStep
    node: Node
    input: Any
    data: Data


@dataclass(slots=True)
class Plan:
    begin: list[Begin] = field(default_factory=list)
    going: list[Going] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: list[tuple[Path, StepError]] = field(default_factory=list)
    """Steps that cannot begin, as their expressions fail."""
    stop: list[Going] = field(default_factory=list)
    """Of what goes on, that which is in vain, as a step beside it has failed."""
    retry_at: datetime | None = None
    """The earliest moment at which a step is to be tried again."""
    outcome: Outcome = Outcome(state="open")


def plan(definition: WorkflowDefinition, progress: Progress, now: datetime) -> Plan:
    """Everything that may begin now, what goes on, and how the run ends when nothing is left to do."""
    walk = _Walk(progress, now)
    data = {"input": progress.input, "steps": {}, "run": progress.run}
    outcome = walk.sequence(definition.steps, "", data)
    if outcome.state == "done" and definition.output:
        outcome = _output(definition.output, data)
    walk.plan.outcome = outcome
    return walk.plan


def _output(expression: str, data: Data) -> Outcome:
    try:
        return Outcome(state="done", output=evaluate(expression, data))
    except ExpressionFailed as error:
        return Outcome(state="failed", error=StepError(code="expression_failed", message=str(error), is_final=True))


class _Walk:
    def __init__(self, progress: Progress, now: datetime) -> None:
        self.plan = Plan()
        self._progress = progress
        self._now = now

    def sequence(self, steps: Sequence[AnyStep], prefix: Path, data: Data) -> Outcome:
        """One after the other; `data["steps"]` gains the output of each."""
        last = None
        for step in steps:
            path = f"{prefix}{step.id}"
            outcome = self._progress.settled.get(path) or self._visit(step, path, data)
            if outcome.state == "failed" and step.on_error == "continue":
                outcome = Outcome(state="done")
            if outcome.state != "done":
                return outcome
            self._progress.settled[path] = outcome
            if not self._is_skipped(path):
                last = outcome.output
            data["steps"][step.id] = outcome.output
        return Outcome(state="done", output=last)

    def _is_skipped(self, path: Path) -> bool:
        node = self._progress.nodes.get(path)
        return node is not None and node.status == "skipped"

    def _visit(self, step: AnyStep, path: Path, data: Data) -> Outcome:
        node = self._progress.nodes.get(path)
        if node is not None and node.status in {"completed", "skipped"}:
            return Outcome(state="done", output=node.output)
        if node is not None and node.status == "failed":
            return Outcome(state="failed", path=path, error=node.error)
        try:
            if node is None and step.when and not is_true(step.when, data):
                return self._skip(path)
            match step:
                case ParallelStep():
                    return self._parallel(step, path, data)
                case MapStep():
                    return self._map(step, path, data)
                case BranchStep():
                    return self._branch(step, path, data)
            return self._work(step, path, node, data)
        except ExpressionFailed as error:
            return self._fail(path, StepError(code="expression_failed", message=str(error), is_final=True))

    def _skip(self, path: Path) -> Outcome:
        self._progress.nodes[path] = Node(status="skipped")
        self.plan.skipped.append(path)
        return Outcome(state="done")

    def _fail(self, path: Path, error: StepError) -> Outcome:
        self._progress.nodes[path] = Node(status="failed", error=error)
        self.plan.failed.append((path, error))
        return Outcome(state="failed", path=path, error=error)

    def _work(self, step: AnyStep, path: Path, node: Node | None, data: Data) -> Outcome:
        own = evaluate(step.input, data) if step.input else data.get("item", data["input"])
        if node is None or (node.status == "retrying" and (node.retry_at is None or node.retry_at <= self._now)):
            attempt = node.attempt + 1 if node else 1
            self.plan.begin.append(Begin(path=path, step=step, attempt=attempt, input=own, data=_kept(data)))
        elif node.status == "retrying":
            self.plan.retry_at = min(filter(None, (self.plan.retry_at, node.retry_at)))
        else:
            self.plan.going.append(Going(path=path, step=step, node=node, input=own, data=_kept(data)))
        return Outcome(state="open")

    def _parallel(self, step: ParallelStep, path: Path, data: Data) -> Outcome:
        mark = self._mark()
        outcomes = {
            name: self.sequence(steps, f"{path}/{name}/", _inside(data)) for name, steps in step.branches.items()
        }
        return self._joined(list(outcomes.values()), mark) or Outcome(
            state="done", output={name: outcome.output for name, outcome in outcomes.items()}
        )

    def _map(self, step: MapStep, path: Path, data: Data) -> Outcome:
        items = evaluate(step.over, data)
        if not isinstance(items, list):
            text = f"{step.over} gives {type(items).__name__}, not a list."
            return self._fail(path, StepError(code="not_a_list", message=text, is_final=True))
        if len(items) > MOST_ITEMS:
            text = f"A map takes {MOST_ITEMS} items at most; there are {len(items)}."
            return self._fail(path, StepError(code="too_many_items", message=text, is_final=True))
        mark, outcomes, open_count = self._mark(), list[Outcome](), 0
        for index, item in enumerate(items):
            place = f"{path}/{index}"
            outcome = self._progress.settled.get(place)
            if outcome is None:
                inside = {**_inside(data), "item": item, "index": index}
                outcome = self.sequence(step.steps, f"{place}/", inside)
                if outcome.state == "done":
                    self._progress.settled[place] = outcome
            outcomes.append(outcome)
            open_count += outcome.state == "open"
            if open_count == step.max_concurrency:
                break
        return self._joined(outcomes, mark) or Outcome(state="done", output=[outcome.output for outcome in outcomes])

    def _branch(self, step: BranchStep, path: Path, data: Data) -> Outcome:
        for number, case in enumerate(step.cases):
            if is_true(case.when, data):
                return self.sequence(case.steps, f"{path}/{number}/", _inside(data))
        return self.sequence(step.otherwise, f"{path}/otherwise/", _inside(data))

    def _mark(self) -> tuple[int, int]:
        return len(self.plan.begin), len(self.plan.going)

    def _joined(self, outcomes: Sequence[Outcome], mark: tuple[int, int]) -> Outcome | None:
        """None when all are done. Where one has failed nothing new begins, and what goes on is waited for."""
        failed = [outcome for outcome in outcomes if outcome.state == "failed"]
        if failed:
            del self.plan.begin[mark[0] :]
            in_vain = self.plan.going[mark[1] :]
            self.plan.stop += [going for going in in_vain if going not in self.plan.stop]
            return Outcome(state="open") if in_vain else _together(failed)
        return Outcome(state="open") if any(outcome.state == "open" for outcome in outcomes) else None


def _together(failed: Sequence[Outcome]) -> Outcome:
    """The first that failed by itself, and the places of the others."""
    first, *others = [outcome for outcome in failed if not outcome.was_stopped] or failed
    places = [place for outcome in others for place in (outcome.path, *outcome.beside)]
    return replace(first, beside=(*first.beside, *places))


def _inside(data: Data) -> dict[str, Any]:
    """The data of a sequence within: it sees what is outside, and what it adds stays inside."""
    return {**data, "steps": dict(data["steps"])}


def _kept(data: Data) -> Data:
    """As it is now; the sequence goes on adding to its own."""
    return {**data, "steps": dict(data["steps"])}
