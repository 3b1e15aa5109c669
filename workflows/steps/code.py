"""Steps that are Python functions: each in a thread of its own, ended when its time is over or the run stops."""

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from agents.stop_signal import StopSignal
from agents.tools.base import ToolResult
from agents.tools.context import ToolContext
from agents.tools.supervise import supervise
from workflows.catalogue import code_functions
from workflows.code import CodeFunction, StepContext, StepFailed
from workflows.definition import CodeStep
from workflows.engine import INTERRUPTED, STOPPED, Begin, Going, StepError
from workflows.open_run import OpenRun
from workflows.steps.ending import Ending
from workspaces.errors import MashError


@dataclass(frozen=True, slots=True)
class Done:
    begin: Begin
    ending: Ending


@dataclass(frozen=True, slots=True)
class _Call:
    begin: Begin
    future: "Future[Ending]"
    stop: StopSignal


class Calls:
    """The functions that run for one run in this process."""

    def __init__(self, most: int, stop: StopSignal) -> None:
        self.going: dict[str, _Call] = {}
        """By path."""
        self._most, self._stop = most, stop
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for call in self.going.values():
            call.stop.set("cancelled")
        if self._pool:
            self._pool.shutdown()

    def begin(self, run: OpenRun, begin: Begin) -> None:
        self._pool = self._pool or ThreadPoolExecutor(self._most, thread_name_prefix="steps")
        stop = StopSignal()
        self.going[begin.path] = _Call(begin, self._pool.submit(_run, run, begin, stop, self._stop), stop)

    def wait(self, seconds: float) -> list[Done]:
        """Those that have ended; after some seconds, perhaps none."""
        wait([call.future for call in self.going.values()], seconds, FIRST_COMPLETED)
        ended = [path for path, call in self.going.items() if call.future.done()]
        return [Done(call.begin, call.future.result()) for call in map(self.going.pop, ended)]


def fault(run: OpenRun, begin: Begin) -> StepError | None:
    """Why the step cannot begin."""
    step = begin.step
    if not isinstance(step, CodeStep) or step.function not in code_functions():
        name = getattr(step, "function", "")
        text = f"The code of this deployment offers no function {name!r}."
        return StepError(code="function_not_found", message=text, is_final=True)
    return None


def lost(run: OpenRun, going: Going) -> Ending:
    """What becomes of a call that a lost worker had begun: made again, or not, as the step or its function says."""
    step = going.step
    assert isinstance(step, CodeStep)  # noqa: S101  the one kind that comes here
    function = code_functions().get(step.function)
    policy = step.crash_policy or (function.crash_policy if function else "at_most_once")
    if policy == "idempotent":
        return Ending(error=StepError(code=INTERRUPTED, message="The worker stopped while it ran; it runs again."))
    text = "The worker stopped while it ran, and its outcome is unknown."
    return Ending(error=StepError(code=INTERRUPTED, message=text, is_final=True))


def _run(run: OpenRun, begin: Begin, own: StopSignal, stop: StopSignal) -> Ending:
    step = begin.step
    assert isinstance(step, CodeStep)  # noqa: S101  the one kind that comes here
    function = code_functions()[step.function]
    came: list[Ending] = []

    def execute(context: ToolContext) -> ToolResult:
        came.append(_called(function, run, begin, context.stop))
        return ToolResult.success("")

    row = run.agent_request
    context = ToolContext(
        workspace=row.workspace.slug,
        agent_id=row.agent.agent_id,
        session_id=row.session_id,
        request_id=str(row.request_id),
        idempotency_key=f"{run.row.run_id}:{begin.path}",
        stop=own,
    )
    with stop.calling(lambda: own.set(stop.reason)):
        result = supervise(execute, name=function.name, timeout_s=step.timeout_s or function.timeout_s, context=context)
    if came:
        return came[0]
    code = STOPPED if own.is_set() else "timeout"
    return Ending(error=StepError(code=code, message=result.content, is_final=code == STOPPED))


def _called(function: CodeFunction, run: OpenRun, begin: Begin, stop: StopSignal) -> Ending:
    context = StepContext(
        workspace=run.agent_request.workspace.slug,
        workflow_id=run.workflow_id,
        run_id=run.row.run_id,
        path=begin.path,
        attempt=begin.attempt,
        state=run.state_of(begin.step.id).value,
        earlier=begin.data["steps"],
        stop=stop,
    )
    try:
        result = function.run(begin.input, context)
    except StepFailed as error:
        return Ending(error=StepError(code=error.code, message=error.message, is_final=not error.retryable))
    except MashError as error:
        return Ending(error=StepError(code=error.code, message=error.message, is_final=not error.retryable))
    except Exception as error:  # foreign code: whatever it raises is told in the log
        return Ending(error=StepError(code=type(error).__name__, message=str(error)[:2000]))
    return Ending(output=result.output, state=result.state)
