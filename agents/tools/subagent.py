"""`InvokeSubagent`: hands work to another agent. A schema without a body: the runtime delegates (contract 5.11)."""

from collections.abc import Mapping

from agents.spec import SubAgentMetadata
from agents.tools.base import Tool

INVOKE_SUBAGENT = "InvokeSubagent"
DEFAULT_TIMEOUT_MS = 360_000


class InvokeSubagentTool(Tool):
    name = INVOKE_SUBAGENT
    description = "Hand a self-contained piece of work to one of your subagents, and get its answer."
    crash_policy = "idempotent"

    def __init__(self, subagents: Mapping[str, SubAgentMetadata]) -> None:
        self.subagents = subagents
        self.parameters = {
            "type": "object",
            "properties": {
                "agent_id": {"type": "string", "description": "Which subagent.", "enum": sorted(subagents)},
                "prompt": {"type": "string", "description": "The whole task; the subagent sees nothing else."},
                "opts": {
                    "type": "object",
                    "properties": {
                        "timeout_ms": {
                            "type": "integer",
                            "description": f"How long to wait, in milliseconds. Default {DEFAULT_TIMEOUT_MS}.",
                        }
                    },
                },
            },
            "required": ["agent_id", "prompt"],
        }


def delegation_prompt(subagents: Mapping[str, SubAgentMetadata]) -> str:
    """What the system prompt says about the subagents (contract 5.13)."""
    lines = [
        "# Subagents",
        f'Call {INVOKE_SUBAGENT} with {{"agent_id": "...", "prompt": "...", "opts": {{"timeout_ms": 60000}}}}; opts may be left out.',
    ]
    for agent_id, about in sorted(subagents.items()):
        lines += [
            f"- {agent_id} ({about.display_name}): {about.description}",
            f"  Capabilities: {', '.join(about.capabilities)}",
            f"  When to use it: {about.usage_guidance}",
        ]
    lines.append("Delegate what a subagent does better, give it everything it needs to know, and check its answer.")
    return "\n".join(lines)
