"""Makes a tool of a plain Python function: type hints become the JSON Schema, the docstring its descriptions."""

import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

from docstring_parser import parse
from pydantic import BaseModel, Field, ValidationError, create_model
from typing_extensions import override

from agents.tools.base import CrashPolicy, Tool, ToolResult
from agents.tools.context import ToolContext


def function_tool(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    crash_policy: CrashPolicy = "at_most_once",
    parallel_safe: bool = False,
    requires_approval: bool = False,
    timeout_s: float = 60,
    run_in_process: bool = False,
) -> Tool:
    """A tool that calls `function`, plain or `async`, with checked and converted arguments.

    The function needs a docstring and type hints. A parameter hinted `ToolContext` is filled in and hidden from the model.
    It may return a `ToolResult`, text, or anything that JSON can hold.
    """
    tool = _TypedTool(function, name=name or str(getattr(function, "__name__", type(function).__name__)))
    tool.crash_policy = crash_policy
    tool.parallel_safe = parallel_safe
    tool.requires_approval = requires_approval
    tool.timeout_s = timeout_s
    tool.run_in_process = run_in_process
    return tool


class _TypedTool(Tool):
    def __init__(self, function: Callable[..., Any], *, name: str) -> None:
        documentation = parse(function.__doc__ or "")
        if not documentation.description:
            raise ValueError(f"{name}: a tool needs a docstring, for the model reads it.")
        self.name = name
        self.description = documentation.description
        self._function = function
        self._context_name, self._model = _arguments_model(
            function, {param.arg_name: param.description or "" for param in documentation.params}
        )
        self.parameters = _plain_schema(self._model)

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        """Made anew from its function elsewhere, as the model of its arguments cannot travel."""
        return _made_of, (self._function, self.name)

    @override
    def execute(self, args: dict[str, Any], context: ToolContext) -> "ToolResult | Awaitable[ToolResult]":
        try:
            values = self._model.model_validate(args)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            return ToolResult.error(f"Invalid arguments: {faults}")
        arguments = {field: getattr(values, field) for field in type(values).model_fields}
        if self._context_name:
            arguments[self._context_name] = context
        outcome = self._function(**arguments)
        return _result_later(outcome) if inspect.isawaitable(outcome) else _result(outcome)


def _made_of(function: Callable[..., Any], name: str) -> _TypedTool:
    return _TypedTool(function, name=name)


def _arguments_model(function: Callable[..., Any], descriptions: dict[str, str]) -> tuple[str | None, type[BaseModel]]:
    hints = get_type_hints(function, include_extras=True)
    context_name, fields = None, {}
    for parameter in inspect.signature(function).parameters.values():
        hint = hints.get(parameter.name, Any)
        if hint is ToolContext:
            context_name = parameter.name
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (hint, Field(default, description=descriptions.get(parameter.name) or None))
    model: type[BaseModel] = create_model("Arguments", **fields)  # type: ignore[call-overload]  # fields made at run time
    return context_name, model


def _plain_schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    schema.pop("title", None)
    for field in schema.get("properties", {}).values():
        field.pop("title", None)
    return schema


async def _result_later(outcome: Awaitable[Any]) -> ToolResult:
    return _result(await outcome)


def _result(outcome: Any) -> ToolResult:
    if isinstance(outcome, ToolResult):
        return outcome
    return ToolResult.success(outcome if isinstance(outcome, str) else json.dumps(outcome, default=str))
