"""What a turn says about itself once it has ended: token estimates, the two built-in signals, and an app's own (contract 5.5, 6.6).

An app registers its signals in its `agents.py`:

    register_signal("answer_length", lambda event: len(event["action"]["text"]), value_type="integer")
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypedDict

from agents.llm.types import LLMToolDefinition

logger = logging.getLogger(__name__)

MAX_SIGNAL_CHARACTERS = 16_000


class SignalEvent(TypedDict):
    """What a collector is given."""

    context: dict[str, Any]
    """`messages` of the turn as the model saw them, `agent_id`, `session_id`, `user`."""
    action: dict[str, Any]
    """`type` (`finish`) and `text` of the answer."""
    results: list[dict[str, Any]]
    """Every tool result of the turn: `tool_call_id`, `content`, `is_error`."""
    tool_usage: dict[str, dict[str, int]]
    """Per tool `tokens` and `invocations`."""


Collector = Callable[[SignalEvent], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalDefinition:
    name: str
    value_type: str = "unknown"
    description: str = ""
    computed_at: str = "turn_complete"
    persisted: bool = True
    """Whether it is stored with the turn; the answer of the request has it in any case."""


_signals: dict[str, tuple[SignalDefinition, Collector]] = {}


def register_signal(
    definition: SignalDefinition | str,
    collector: Collector,
    *,
    value_type: str = "unknown",
    description: str = "",
    computed_at: str = "turn_complete",
    persisted: bool = True,
) -> SignalDefinition:
    """Adds a signal to every turn that ends by itself; one of the same name is replaced."""
    if isinstance(definition, str):
        definition = SignalDefinition(
            name=definition,
            value_type=value_type,
            description=description,
            computed_at=computed_at,
            persisted=persisted,
        )
    if not definition.name.strip():
        raise ValueError("A signal needs a name.")
    _signals[definition.name] = (definition, collector)
    return definition


def unregister_signal(name: str) -> None:
    _signals.pop(name, None)


def list_signals() -> list[str]:
    return list(_signals)


def get_signal_definitions() -> dict[str, dict[str, Any]]:
    """Every signal's definition by its name."""
    return {name: asdict(definition) for name, (definition, _) in _signals.items()}


def collect(event: SignalEvent) -> dict[str, Any]:
    """The turn's signals. None is left out, and so is what fails, is too long or is not JSON: a signal never spoils a turn."""
    collected = {}
    for name, (_, collector) in _signals.items():
        try:
            value = collector(event)
            size = len(json.dumps(value, allow_nan=False))
        except Exception:  # foreign code
            logger.exception("The signal %s failed", name, extra={"action": "signal.failed"})
            continue
        if size > MAX_SIGNAL_CHARACTERS:
            logger.error("The signal %s is too long: %s", name, size, extra={"action": "signal.failed"})
        elif value is not None:
            collected[name] = value
    return collected


def persisted_only(signals: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are stored with the turn."""
    return {name: value for name, value in signals.items() if name not in _signals or _signals[name][0].persisted}


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


def _unused(event: SignalEvent) -> dict[str, int]:
    """Tokens of each offered tool that was not called."""
    return {name: usage["tokens"] for name, usage in event["tool_usage"].items() if not usage["invocations"]}


register_signal(
    "unused_tools",
    lambda event: sorted(_unused(event)),
    value_type="string_list",
    description="Names of offered tools that the turn did not call.",
)
register_signal(
    "unused_tool_tokens",
    lambda event: sum(_unused(event).values()),
    value_type="integer",
    description="Estimated tokens that the definitions of these tools took in each model call.",
)
