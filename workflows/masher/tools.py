"""Masher's work as tools of agents (contract 7.5): the same functions that its workflows call."""

import json
from collections.abc import Callable
from typing import Any

from typing_extensions import override

from agents.tools.base import Tool, ToolResult
from agents.tools.context import ToolContext
from workflows.code import StepContext, StepFailed, StepResult
from workflows.masher.collect import curate_online_evals, digest_traces

_PARAMETERS = {
    "type": "object",
    "properties": {
        "workflow_input": {
            "type": "object",
            "description": "mode (trace or incremental), target_agent_id, and of one trace session_id and trace_id.",
        },
        "task_state": {"type": "object", "description": "What the call before has returned; {} at first."},
    },
    "required": ["workflow_input", "task_state"],
}


class MasherTool(Tool):
    """Runs one of Masher's functions on the agent's own workspace, and returns its JSON."""

    parameters = _PARAMETERS
    crash_policy = "idempotent"
    timeout_s = 600

    def __init__(
        self, name: str, description: str, function: Callable[[dict[str, Any], StepContext], StepResult]
    ) -> None:
        self.name, self.description, self._function = name, description, function

    @override
    def execute(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        step = StepContext(
            workspace=context.workspace,
            workflow_id="",
            run_id=context.request_id,
            path=self.name,
            attempt=1,
            state=args["task_state"],
            earlier={},
            stop=context.stop,
        )
        try:
            return ToolResult.success(json.dumps(self._function(args["workflow_input"], step).output))
        except StepFailed as error:
            return ToolResult.error(error.message)


def masher_tools() -> list[Tool]:
    """`run_trace_digest_workflow` and `run_online_eval_curation_workflow`."""
    digest = "Keeps a diagnostic digest of one trace, or of every trace that has ended since the last call."
    curate = "Keeps a row for evals of one trace, or of every trace that has ended since the last call."
    return [
        MasherTool("run_trace_digest_workflow", digest, digest_traces),
        MasherTool("run_online_eval_curation_workflow", curate, curate_online_evals),
    ]
