"""What a turn says about the agent's tools: token estimates and the two built-in signals (contract 5.5, 6.6)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agents.llm.types import LLMToolDefinition


def tool_tokens(tool: LLMToolDefinition) -> int:
    """Estimated tokens that a tool's definition costs in every model call: `int(int(chars / 3.5) * 1.05)` (contract 5.5)."""
    text = json.dumps(
        {
            "name": tool.name,
            "description": tool.description,
            "parameters_json_schema": tool.parameters_json_schema,
            "extras": tool.metadata,
        }
    )
    return estimate_tokens(text)


def estimate_tokens(text: str) -> int:
    return int(int(len(text) / 3.5) * 1.05)


def tool_usage(tools: Sequence[LLMToolDefinition], invocations: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Per tool its token estimate and how often it was called, called but unknown ones included."""
    usage = {tool.name: {"tokens": tool_tokens(tool), "invocations": invocations.get(tool.name, 0)} for tool in tools}
    for name, count in invocations.items():
        usage.setdefault(name, {"tokens": 0, "invocations": count})
    return usage


def collect_signals(tools: Sequence[LLMToolDefinition], invocations: Mapping[str, int]) -> dict[str, Any]:
    """The signals of a turn that ended by itself."""
    unused = [tool for tool in tools if not invocations.get(tool.name)]
    return {
        "unused_tools": sorted(tool.name for tool in unused),
        "unused_tool_tokens": sum(tool_tokens(tool) for tool in unused),
    }
