"""The agent and the workflow that are tormented: tools and steps write down each time that they are really executed."""

import json
import os
import time
from typing import Any

from typing_extensions import override

from agents.host import AgentHost, HostBuilder
from agents.llm.catalogue import create_provider
from agents.llm.types import LLMProvider
from agents.spec import AgentConfig, AgentSpec, SubAgentMetadata
from agents.tools.base import Tool
from agents.tools.context import ToolContext
from agents.tools.function import function_tool
from agents.tools.registry import ToolRegistry
from workflows.code import StepContext, code_function
from workflows.definition import WorkflowDefinition
from workflows.spec import CodeTask, WorkflowSpec

AGENT_ID = "tormented"
WORKFLOW_ID = "torment"
HELPER_IDS = ("helper-a", "helper-b")
# The inner run's message holds a key of its own.
_SUB = "{words: join('', ['go key=', input.id, '-sub on'])}"
LEDGER_VARIABLE = "MASH_CHAOS_LEDGER"


def _enter(tool: str, phase: str, context: ToolContext) -> None:
    _write(json.dumps({"tool": tool, "phase": phase, "key": context.idempotency_key, "process": os.getpid()}))


def _write(line: str) -> None:
    """One short line, appended in one write, so that no process can tear another's."""
    descriptor = os.open(os.environ[LEDGER_VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)


def pay_once(context: ToolContext, seconds: float = 0.0) -> str:
    """Does what must never be done twice."""
    _enter("pay_once", "begun", context)
    time.sleep(seconds)
    _enter("pay_once", "done", context)
    return "paid"


def write_again(context: ToolContext, seconds: float = 0.0) -> str:
    """Does what may be done again."""
    _enter("write_again", "begun", context)
    time.sleep(seconds)
    _enter("write_again", "done", context)
    return "written"


def sign_off(context: ToolContext) -> str:
    """Does what a person must approve."""
    _enter("sign_off", "begun", context)
    _enter("sign_off", "done", context)
    return "signed"


def _tools() -> list[Tool]:
    return [
        function_tool(pay_once),
        function_tool(write_again, crash_policy="idempotent", parallel_safe=True),
        function_tool(sign_off, requires_approval=True),
    ]


def note_step(given: Any, context: StepContext) -> str:
    """A step that may be done again where its worker was lost, and never once it is finished."""
    line = json.dumps({"tool": "note_step", "phase": "begun", "key": context.idempotency_key, "process": os.getpid()})
    _write(line)
    time.sleep(0.05)
    return context.path


def _workflows() -> list[WorkflowSpec]:
    """One with steps of every kind, and the one that it runs."""
    note = code_function(note_step, crash_policy="idempotent")
    noted = {"kind": "code", "function": note.name}
    asked = {"kind": "agent", "agent_id": HELPER_IDS[0], "answer": "text"}
    steps: list[dict[str, Any]] = [
        {
            "id": "each",
            "kind": "map",
            "over": "input.items",
            "max_concurrency": 3,
            "steps": [
                {"id": "note", **noted},
                {"id": "ask", **asked, "message": "key=${input.id}-${item} tools=1 tool=write_again latency=0.1"},
            ],
        },
        {
            "id": "both",
            "kind": "parallel",
            "branches": {
                "left": [{"id": "ok", "kind": "human", "prompt": "Go on?"}, {"id": "after", **noted}],
                "right": [
                    {"id": "pause", "kind": "wait", "seconds": 0.5},
                    {"id": "call", "kind": "workflow", "workflow_id": "inner", "input": _SUB},
                ],
            },
        },
        {"id": "last", **noted},
    ]
    inner = WorkflowDefinition.model_validate({"steps": [{"id": "one", **noted}, {"id": "two", **noted}]})
    outer = WorkflowDefinition.model_validate({"steps": steps})
    first = CodeTask("first", note)
    return [WorkflowSpec(WORKFLOW_ID, [first, *outer.steps]), WorkflowSpec("inner", [*inner.steps])]


class TormentedSpec(AgentSpec):
    """Its sessions are summarized again and again."""

    def __init__(self, agent_id: str) -> None:
        self._agent_id = agent_id

    @override
    def get_agent_id(self) -> str:
        return self._agent_id

    @override
    def build_tools(self) -> ToolRegistry:
        return ToolRegistry(_tools())

    @override
    def build_llm(self) -> LLMProvider:
        return create_provider("openai_chat", model="scripted")

    @override
    def build_agent_config(self) -> AgentConfig:
        return AgentConfig(
            app_id=self._agent_id, system_prompt="You are put to the test.", compaction_token_threshold=2_000
        )


def host() -> AgentHost:
    builder = HostBuilder().primary(TormentedSpec(AGENT_ID))
    for agent_id in HELPER_IDS:
        about = SubAgentMetadata(
            display_name=agent_id, description="Helps.", capabilities=["helping"], usage_guidance="Whenever told to."
        )
        builder.subagent(TormentedSpec(agent_id), about)
    for workflow in _workflows():
        builder.workflow(workflow)
    return builder.build()
