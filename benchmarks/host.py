"""Workflows of steps that do nothing, so that what is measured is what a step costs."""

from typing import Any

from typing_extensions import override

from agents.host import AgentHost, HostBuilder
from agents.llm.catalogue import create_provider
from agents.llm.types import LLMProvider
from agents.spec import AgentConfig, AgentSpec
from agents.tools.registry import ToolRegistry
from workflows.code import code_function
from workflows.definition import WorkflowDefinition
from workflows.spec import CodeTask, WorkflowSpec

ROW_OF_STEPS = "bench-row"
STEPS = 100
MAP = "bench-map"


def nothing(given: Any) -> Any:
    """Gives back what it is given."""
    return given


class IdleSpec(AgentSpec):
    """A host has an agent; this one is never asked."""

    @override
    def get_agent_id(self) -> str:
        return "idle"

    @override
    def build_tools(self) -> ToolRegistry:
        return ToolRegistry([])

    @override
    def build_llm(self) -> LLMProvider:
        return create_provider("demo")

    @override
    def build_agent_config(self) -> AgentConfig:
        return AgentConfig(app_id="idle", system_prompt="You are never asked.")


def host() -> AgentHost:
    function = code_function(nothing, crash_policy="idempotent")
    each = {"id": "one", "kind": "code", "function": function.name, "input": "item"}
    mapped = {"id": "each", "kind": "map", "over": "input.items", "max_concurrency": 50, "steps": [each]}
    definition = WorkflowDefinition.model_validate({"steps": [mapped]})
    row = [CodeTask(f"step-{number}", function, input="input") for number in range(STEPS)]
    builder = HostBuilder().primary(IdleSpec())
    return builder.workflow(WorkflowSpec(ROW_OF_STEPS, row)).workflow(WorkflowSpec(MAP, definition.steps)).build()
