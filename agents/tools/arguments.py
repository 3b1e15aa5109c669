"""Checks a call's arguments against the tool's JSON Schema, which may come from a foreign MCP server."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import re2
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import SchemaError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

_MOST_FAULTS = 5
_MOST_CHARACTERS = 300


def fault(parameters: Mapping[str, Any], args: dict[str, Any]) -> str | None:
    """What is wrong, for the model to read; required texts must not be blank either (contract A15)."""
    try:
        # An empty registry: a reference to another place must not make us call there.
        validator = _Validator(dict(parameters), registry=Registry())
        errors = sorted(validator.iter_errors(args), key=str)
    except (SchemaError, Unresolvable, TypeError, ValueError, AttributeError, RecursionError) as error:
        return f"the tool's own schema cannot be used ({type(error).__name__})"
    faults = [f"{error.json_path}: {error.message}" for error in errors] + _blanks(parameters, args)
    return "; ".join(text[:_MOST_CHARACTERS] for text in faults[:_MOST_FAULTS]) or None


def _blanks(parameters: Mapping[str, Any], args: dict[str, Any]) -> list[str]:
    required = parameters.get("required", ())
    values = ((name, args.get(name, 0)) for name in required if isinstance(name, str))
    return [
        f"$.{name}: must not be {'null' if value is None else 'blank'}"
        for name, value in values
        if value is None or (isinstance(value, str) and not value.strip())
    ]


def _pattern(validator: Any, pattern: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """In linear time: Python's own expressions can take for ever, and no thread of the process runs meanwhile."""
    expression = _compiled(pattern) if validator.is_type(instance, "string") else None
    if expression is not None and not expression.search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


@cache
def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(pattern)
    except re2.error:
        return None


def _unchecked(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Names by pattern are the server's own to check."""
    yield from ()


def _additional(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if "patternProperties" not in schema:
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, allowed, instance, schema)


_Validator = extend(
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _unchecked,
        "additionalProperties": _additional,
        "unevaluatedProperties": _unchecked,
    },
)
