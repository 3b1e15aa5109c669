"""The definition of a workflow as data: what the admin edits, a version freezes and a YAML file carries."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from typing_extensions import override

from agents.json_schema import schema_fault
from workflows.expressions import expression_fault, text_fault

MOST_STEPS = 200
MOST_ITEMS = 10_000


def _expression(text: str) -> str:
    if text and (fault := expression_fault(text)):
        raise ValueError(fault)
    return text


def _text(text: str) -> str:
    if fault := text_fault(text):
        raise ValueError(fault)
    return text


def _schema(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    if schema is not None and (fault := schema_fault(schema)):
        raise ValueError(fault)
    return schema


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
StepId = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=100)
]
Expression = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_expression)]
"""JMESPath over `input`, `steps`, `run`, and inside a map `item` and `index`."""
Text = Annotated[str, StringConstraints(max_length=100_000), AfterValidator(_text)]
"""May hold `${expression}`."""
Schema = Annotated[dict[str, Any] | None, AfterValidator(_schema)]
"""JSON Schema, draft 2020-12; None: anything goes."""


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RetryPolicy(Part):
    """How often a step is tried, and how long it waits in between."""

    attempts: int = Field(1, gt=0, le=20)
    backoff_s: float = Field(1.0, ge=0, le=3600, description="Seconds before the second attempt.")
    factor: float = Field(2.0, ge=1, le=10, description="What the wait grows by with each attempt.")
    most_s: float = Field(300.0, ge=0, le=86_400, description="The longest wait, in seconds.")
    errors: tuple[Line, ...] = Field((), description="Error codes to try again after. Empty: all but final ones.")

    def wait_s(self, attempt: int) -> float:
        """Seconds between this attempt, counted from 1, and the next."""
        return min(self.most_s, self.backoff_s * self.factor ** (attempt - 1))


class Step(Part):
    """What steps of every kind have."""

    id: StepId
    name: Line = Field("", description="For people.")
    when: Expression = Field("", description="Skips the step where this is not true.")
    input: Expression = Field("", description="What the step gets. Empty: the run's input, inside a map the item.")
    on_error: Literal["fail", "continue"] = Field(
        "fail", description="continue: the output is null and the run goes on."
    )

    @property
    def inner(self) -> "tuple[tuple[AnyStep, ...], ...]":
        """The sequences of steps that it holds."""
        return ()


class Work(Step):
    """A step that does something, and may have to do it again."""

    output_schema: Schema = None
    retry: RetryPolicy = RetryPolicy()
    timeout_s: float | None = Field(None, gt=0, le=30 * 86_400, description="Seconds an attempt may take.")


class AgentStep(Work):
    """A request to an agent."""

    kind: Literal["agent"]
    agent_id: Line
    agent_version: int | None = Field(None, gt=0, description="Empty: the current one.")
    message: Text = Field("", description="Empty: the step's input, state and the run's ids as JSON.")
    answer: Literal["text", "json"] = Field("json", description="json: the answer must be a JSON object.")
    keeps_state: bool = Field(False, description="The answer is handed to this step of the next run as its state.")


class CodeStep(Work):
    """A Python function that the deployment offers."""

    kind: Literal["code"]
    function: Line
    crash_policy: Literal["idempotent", "at_most_once"] | None = Field(
        None, description="Whether a call that a lost worker had begun is made again. Empty: as the function says."
    )
    agent_id: Line = Field("", description="Whom listings name for it, where an agent might do the same.")


class HumanStep(Step):
    """A question to a person; the answer is the output."""

    kind: Literal["human"]
    prompt: Text
    ask: Literal["approval", "choice", "info"] = "approval"
    options: tuple[Line, ...] = ()
    timeout_s: float | None = Field(
        None, gt=0, le=366 * 86_400, description="Seconds until silence is the answer. Empty: 30 days."
    )

    @model_validator(mode="after")
    def _has_options(self) -> "HumanStep":
        if (self.ask == "choice") != bool(self.options):
            raise ValueError("A choice needs options, and only a choice has them.")
        return self


class WaitStep(Step):
    """Waits for a time to pass, a moment to come, or a signal; a signal's payload is the output."""

    kind: Literal["wait"]
    seconds: float | None = Field(None, ge=0, le=366 * 86_400)
    until: Expression = Field("", description="A moment: Unix seconds or ISO 8601.")
    signal: Line = ""
    timeout_s: float | None = Field(
        None, gt=0, le=366 * 86_400, description="Seconds to wait for the signal; then the output is null."
    )

    @model_validator(mode="after")
    def _has_one(self) -> "WaitStep":
        if (self.seconds is not None) + bool(self.until) + bool(self.signal) != 1:
            raise ValueError("Give one of seconds, until and signal.")
        return self


class WorkflowStep(Work):
    """A run of another workflow; its output is the step's."""

    kind: Literal["workflow"]
    workflow_id: Line


class ParallelStep(Step):
    """Sequences that run at the same time; the output is an object of what each gave, by its name."""

    kind: Literal["parallel"]
    branches: dict[StepId, "tuple[AnyStep, ...]"] = Field(min_length=1)

    @property
    @override
    def inner(self) -> "tuple[tuple[AnyStep, ...], ...]":
        return tuple(self.branches.values())


class MapStep(Step):
    """The same steps for each item of a list; the output is the list of what each gave, in the list's order."""

    kind: Literal["map"]
    over: Expression = Field(min_length=1)
    steps: "tuple[AnyStep, ...]" = Field(min_length=1)
    max_concurrency: int = Field(8, gt=0, le=100)

    @property
    @override
    def inner(self) -> "tuple[tuple[AnyStep, ...], ...]":
        return (self.steps,)


class Case(Part):
    when: Expression = Field(min_length=1)
    steps: "tuple[AnyStep, ...]" = ()


class BranchStep(Step):
    """The steps of the first case that is true, else those of `otherwise`; their output is the step's."""

    kind: Literal["branch"]
    cases: tuple[Case, ...] = Field(min_length=1)
    otherwise: "tuple[AnyStep, ...]" = ()

    @property
    @override
    def inner(self) -> "tuple[tuple[AnyStep, ...], ...]":
        return (*(case.steps for case in self.cases), self.otherwise)


AnyStep = Annotated[
    AgentStep | CodeStep | HumanStep | WaitStep | WorkflowStep | ParallelStep | MapStep | BranchStep,
    Field(discriminator="kind"),
]


class WorkflowDefinition(Part):
    """Everything that decides what a run does."""

    description: str = Field("", max_length=1000)
    steps: tuple[AnyStep, ...] = Field(min_length=1)
    input_schema: Schema = None
    output: Expression = Field("", description="The run's output. Empty: the last step's.")
    output_schema: Schema = None
    max_concurrent_runs: int = Field(8, gt=0, le=1000, description="Runs of this workflow at the same time.")
    timeout_s: float | None = Field(None, gt=0, le=366 * 86_400, description="Seconds a run may take.")

    @model_validator(mode="after")
    def _makes_sense(self) -> "WorkflowDefinition":
        ids = [step.id for step in all_steps(self.steps)]
        if repeated := sorted({step_id for step_id in ids if ids.count(step_id) > 1}):
            raise ValueError(f"Step ids must be unique; repeated: {', '.join(repeated)}.")
        if len(ids) > MOST_STEPS:
            raise ValueError(f"A workflow has {MOST_STEPS} steps at most; this one has {len(ids)}.")
        return self


def all_steps(steps: tuple[AnyStep, ...]) -> Iterator[AnyStep]:
    """Every step of the sequence and of what it holds."""
    for step in steps:
        yield step
        for sequence in step.inner:
            yield from all_steps(sequence)
