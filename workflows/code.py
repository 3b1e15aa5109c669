"""Python functions that workflows may call, with typed input and output."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any, Literal, get_type_hints

from pydantic import TypeAdapter, ValidationError

from agents.stop_signal import StopSignal
from workspaces.errors import MashError

CrashPolicy = Literal["idempotent", "at_most_once"]


class StepFailed(MashError):
    """Raise it in a step's function to fail the step with a code of your own. `retryable` says whether to try again."""

    code = "step_failed"

    def __init__(self, message: str, *, code: str = "step_failed", retryable: bool = True) -> None:
        super().__init__(message)
        self.code, self.retryable = code, retryable


class InvalidInput(StepFailed):
    def __init__(self, message: str) -> None:
        super().__init__(message, code="invalid_input", retryable=False)


class InvalidOutput(StepFailed):
    def __init__(self, message: str) -> None:
        super().__init__(message, code="invalid_output", retryable=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """What a step's function may know of the run; a parameter hinted with it is filled in."""

    workspace: str
    """Slug."""
    workflow_id: str
    run_id: str
    path: str
    """The step's place in the run, as `each/3/fetch`."""
    attempt: int
    """From 1."""
    state: Mapping[str, Any]
    """What the newest run before this one has left for this step; empty at first."""
    earlier: Mapping[str, Any]
    """The outputs of the steps before it, by id."""
    stop: StopSignal
    """Set when the run is cancelled or its time is up."""

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this step of this run."""
        return f"{self.run_id}:{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """An output with a new state for this step of the next run."""

    output: Any
    state: Mapping[str, Any] | None = None
    """None: the state stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFunction:
    name: str
    call: Callable[..., Any]
    crash_policy: CrashPolicy
    timeout_s: float
    input_type: TypeAdapter[Any]
    output_type: TypeAdapter[Any]
    input_name: str = ""
    """Of the parameter that takes the input; empty: the function takes none."""
    context_name: str = ""
    description: str = ""
    input_schema: Mapping[str, Any] = field(default_factory=dict)

    def run(self, given: Any, context: StepContext) -> StepResult:
        """Checked input in, JSON out. Raises `InvalidInput`, `InvalidOutput`, and whatever the function raises."""
        arguments: dict[str, Any] = {self.context_name: context} if self.context_name else {}
        if self.input_name:
            try:
                arguments[self.input_name] = self.input_type.validate_python(given)
            except ValidationError as error:
                raise InvalidInput(_faults(error)) from error
        came = self.call(**arguments)
        result = came if isinstance(came, StepResult) else StepResult(output=came)
        try:
            checked = self.output_type.validate_python(result.output)
            return StepResult(output=self.output_type.dump_python(checked, mode="json"), state=result.state)
        except (ValidationError, ValueError, TypeError) as error:
            raise InvalidOutput(_faults(error) if isinstance(error, ValidationError) else str(error)[:500]) from error


def code_function(
    function: Callable[..., Any], *, name: str = "", crash_policy: CrashPolicy = "at_most_once", timeout_s: float = 300
) -> CodeFunction:
    """`function` takes the step's input as its one parameter, and a `StepContext` where one is hinted.

    Its hints are the types of input and output; it returns what JSON can hold, or a `StepResult`.
    """
    name = name or str(getattr(function, "__name__", ""))
    hints = get_type_hints(function)
    contexts = [parameter for parameter, hint in hints.items() if hint is StepContext]
    inputs = [parameter for parameter in _parameters(function) if parameter not in contexts]
    if not name or len(inputs) > 1 or len(contexts) > 1:
        raise ValueError(f"{name or function}: a step's function has a name, one input at most, and one StepContext.")
    result = hints.get("return", Any)
    adapter = TypeAdapter(hints.get(inputs[0], Any)) if inputs else TypeAdapter(Any)
    return CodeFunction(
        name=name,
        call=function,
        crash_policy=crash_policy,
        timeout_s=timeout_s,
        input_type=adapter,
        output_type=TypeAdapter(Any if result is StepResult else result),
        input_name=inputs[0] if inputs else "",
        context_name=contexts[0] if contexts else "",
        description=(function.__doc__ or "").strip(),
        input_schema=adapter.json_schema(),
    )


def _parameters(function: Callable[..., Any]) -> list[str]:
    kinds = {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY}
    return [parameter.name for parameter in signature(function).parameters.values() if parameter.kind in kinds]


def _faults(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or '$'}: {fault['msg']}" for fault in error.errors())[:1000]
