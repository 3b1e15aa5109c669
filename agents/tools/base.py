"""What a tool is: a name, a JSON Schema, and something that can be executed (contract 5.10, extensions 6)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from typing_extensions import override

from agents.tools.context import ToolContext

CrashPolicy = Literal["idempotent", "at_most_once", "ask"]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answers to the model. A failure is an answer too: the model may try something else."""

    content: str
    is_error: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def success(cls, content: str, **metadata: Any) -> "ToolResult":
        return cls(content, is_error=False, metadata=metadata)

    @classmethod
    def error(cls, message: str, **metadata: Any) -> "ToolResult":
        return cls(message, is_error=True, metadata=metadata)


class Tool:
    """Base of all tools; a subclass sets the attributes and implements `execute`, plain or `async`.

    A plain `execute` runs in a thread and is interrupted between two lines of Python; an `async` one runs on the process's
    event loop, which it must not block, and is cancelled. What can be neither, `run_in_process` puts where it can be killed.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    requires_approval: bool = False
    """Whether a person must approve every call."""
    parallel_safe: bool = False
    """Whether calls may run beside others of the same step."""
    crash_policy: CrashPolicy = "at_most_once"
    """What becomes of a call that a lost worker had begun: run again, reported to the model, or asked about."""
    timeout_s: float = 60
    run_in_process: bool = False
    """Runs each call in a process of its own. The tool must be picklable and know no Django; the context has no `emit`."""
    note: str = ""
    """What the operator should know of it, shown where people choose tools."""

    def execute(self, args: dict[str, Any], context: ToolContext) -> "ToolResult | Awaitable[ToolResult]":
        """Does the work. `args` have been checked against `parameters`; an exception becomes an error result."""
        raise NotImplementedError

    def to_llm_format(self) -> dict[str, Any]:
        """`name`, `description`, `input_schema`; further keys are handed to the provider as they are."""
        return {"name": self.name, "description": self.description, "input_schema": dict(self.parameters)}


class FunctionTool(Tool):
    """A tool whose work is a callable that takes the arguments object, plain or `async`."""

    def __init__(
        self,
        name: str,
        description: str,
        parameters: Mapping[str, Any],
        executor: Callable[[dict[str, Any]], "ToolResult | Awaitable[ToolResult]"],
        *,
        crash_policy: CrashPolicy = "at_most_once",
        parallel_safe: bool = False,
        requires_approval: bool = False,
        timeout_s: float = 60,
        run_in_process: bool = False,
    ) -> None:
        self.name = name
        self.description = description
        self.parameters = parameters
        self.executor = executor
        self.crash_policy = crash_policy
        self.parallel_safe = parallel_safe
        self.requires_approval = requires_approval
        self.timeout_s = timeout_s
        self.run_in_process = run_in_process

    @override
    def execute(self, args: dict[str, Any], context: ToolContext) -> "ToolResult | Awaitable[ToolResult]":
        return self.executor(args)
