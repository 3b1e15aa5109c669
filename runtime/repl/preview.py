"""One line that tells what a tool call is about (contract 3.9)."""

import json
from collections.abc import Mapping
from typing import Any

from runtime.repl.text import one_line

SHOWN_ARGUMENTS = 2


def call_preview(name: str, arguments: Mapping[str, Any]) -> str:
    """`$ command` for bash, else the name with its first two arguments."""
    command = arguments.get("command")
    if name == "bash" and isinstance(command, str):
        return one_line(f"$ {_cut(command, 80)}")
    if not arguments:
        return one_line(name)
    shown = [f"{key}={_value(value)}" for key, value in list(arguments.items())[:SHOWN_ARGUMENTS]]
    if len(arguments) > SHOWN_ARGUMENTS:
        shown.append(f"+{len(arguments) - SHOWN_ARGUMENTS} more")
    return one_line(f"{name}({', '.join(shown)})")


def _value(value: Any) -> str:
    return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 40)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
