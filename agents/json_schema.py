"""Checks values against JSON Schemas that workspaces, models and remote servers bring along."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable

_MOST_FAULTS = 5
# An own registry, else the library would fetch a schema from wherever a `$ref` says.
_NO_REMOTE_SCHEMAS: Registry[Any] = Registry()


def faults_of(schema: Mapping[str, Any], value: Any) -> list[str]:
    """What is wrong with the value, each fault with its place; empty when it satisfies the schema."""
    validator = Draft202012Validator(dict(schema), registry=_NO_REMOTE_SCHEMAS)
    try:
        found = list(islice(validator.iter_errors(value), _MOST_FAULTS))
    except Unresolvable as error:
        return [f"the schema refers to something that it does not hold: {error}"[:300]]
    return [f"{error.json_path}: {error.message}"[:300] for error in sorted(found, key=str)]


def schema_fault(schema: Mapping[str, Any]) -> str:
    """Why this is no JSON Schema of draft 2020-12; empty when it is one."""
    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        return f"{error.json_path}: {error.message}"[:300]
    return ""
