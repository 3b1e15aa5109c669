"""Checks values against JSON Schemas that workspaces, models and remote servers bring along."""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache, partial
from itertools import islice
from typing import Any

import re2
from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.exceptions import UnknownType
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

_MOST_FAULTS = 5
_MOST_STEPS = 50_000
"""Keywords that are looked at for one value, well under a second: references that double at each turn have no end."""
# An own registry, else the library would fetch a schema from wherever a `$ref` says.
_NO_REMOTE_SCHEMAS: Registry[Any] = Registry()


class TooManySteps(Exception):
    pass


_steps: ContextVar[Iterator[int]] = ContextVar("steps")


def faults_of(schema: Mapping[str, Any], value: Any) -> list[str]:
    """What is wrong with the value, each fault with its place; empty when it satisfies the schema."""
    # The library would look for the patterns' names with Python's expressions, so beside them this goes unchecked.
    has_patterns = "patternProperties" in str(schema)
    validator = (_PatternValidator if has_patterns else _Validator)(dict(schema), registry=_NO_REMOTE_SCHEMAS)
    started = _steps.set(iter(range(_MOST_STEPS)))
    try:
        found = list(islice(validator.iter_errors(value), _MOST_FAULTS))
    except TooManySteps:
        return ["the schema takes too many steps to check"]
    except Unresolvable as error:
        return [f"the schema refers to something that it does not hold: {error}"[:300]]
    except (UnknownType, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        return [f"the schema cannot be used ({type(error).__name__})"]
    finally:
        _steps.reset(started)
    return [f"{error.json_path}: {error.message}"[:300] for error in sorted(found, key=str)]


def schema_fault(schema: Mapping[str, Any]) -> str:
    """Why this is no JSON Schema of draft 2020-12; empty when it is one."""
    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        return f"{error.json_path}: {error.message}"[:300]
    except RecursionError:
        return "$: nested too deeply"
    return ""


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """In linear time: a foreign expression can keep Python's own busy for ever, and no other thread runs meanwhile."""
    expression = _compiled(pattern) if isinstance(instance, str) else None
    if expression is not None and not expression.search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


@lru_cache(maxsize=1000)
def _compiled(pattern: str) -> Any:
    """None for what RE2 does not know, such as looking ahead: that is not checked."""
    try:
        return re2.compile(pattern, _quiet)
    except re2.error:
        return None


def _matches(pattern: str, name: str) -> bool:
    expression = _compiled(pattern)
    return expression is not None and bool(expression.search(name))


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, schema: Any
) -> Iterator[ValidationError]:
    for pattern, subschema in patterns.items() if isinstance(instance, dict) else ():
        for name, value in instance.items():
            if _matches(pattern, name):
                yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    patterns = schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in schema.get("properties", {}) or any(_matches(pattern, name) for pattern in patterns):
            continue
        if isinstance(allowed, dict):
            yield from validator.descend(value, allowed, path=name)
        elif not allowed:
            yield ValidationError(f"Additional property {name!r} is not allowed")


Keyword = Callable[[Any, Any, Any, Any], "Iterator[ValidationError] | None"]


def _counted(keyword: Keyword, validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword, as one of the steps that may be taken."""
    if next(_steps.get(), None) is None:
        raise TooManySteps
    yield from keyword(validator, value, instance, schema) or ()


def _unchecked(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    return iter(())


def _extended(changed: Mapping[str, Keyword]) -> type[Validator]:
    keywords: dict[str, Keyword] = {**Draft202012Validator.VALIDATORS, **changed}
    counted = {name: partial(_counted, keyword) for name, keyword in keywords.items()}
    validator: type[Validator] = extend(Draft202012Validator, counted)  # type: ignore[no-untyped-call]  # not in its stubs
    return validator


_quiet = re2.Options()
_quiet.log_errors = False
_LINEAR: Mapping[str, Keyword] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
}
_Validator = _extended(_LINEAR)
_PatternValidator = _extended({**_LINEAR, "unevaluatedProperties": _unchecked})
