"""The agent that is tormented: its tools write down each time that they are really executed."""

import json
import os
import time

from typing_extensions import override

from agents.host import AgentHost, HostBuilder
from agents.llm.catalogue import create_provider
from agents.llm.types import LLMProvider
from agents.spec import AgentConfig, AgentSpec, SubAgentMetadata
from agents.tools.base import Tool
from agents.tools.context import ToolContext
from agents.tools.function import function_tool
from agents.tools.registry import ToolRegistry

AGENT_ID = "tormented"
HELPER_IDS = ("helper-a", "helper-b")
LEDGER_VARIABLE = "MASH_CHAOS_LEDGER"


def _enter(tool: str, phase: str, context: ToolContext) -> None:
    """One short line, appended in one write, so that no process can tear another's."""
    line = json.dumps({"tool": tool, "phase": phase, "key": context.idempotency_key, "process": os.getpid()})
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
    return builder.build()
