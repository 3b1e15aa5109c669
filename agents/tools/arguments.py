"""Checks a call's arguments against the tool's JSON Schema."""

from collections.abc import Mapping
from typing import Any

from agents.json_schema import faults_of


def fault(parameters: Mapping[str, Any], args: dict[str, Any]) -> str | None:
    """What is wrong, for the model to read; required texts must not be blank either (contract A15)."""
    return "; ".join(_blanks(parameters, args) or faults_of(parameters, args)) or None


def _blanks(parameters: Mapping[str, Any], args: dict[str, Any]) -> list[str]:
    required = parameters.get("required") or ()
    values = {name: args[name] for name in required if isinstance(name, str) and name in args}
    return [
        f"$.{name}: must not be {'null' if value is None else 'blank'}"
        for name, value in values.items()
        if value is None or (isinstance(value, str) and not value.strip())
    ]
