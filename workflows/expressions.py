"""How a definition speaks of data: JMESPath for values and conditions, `${...}` around it inside a text."""

import json
import string
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult
from typing_extensions import override

MOST_CHARACTERS = 2000
_LONGEST_TEXT = 100_000


class ExpressionFailed(ValueError):
    """The data is not what the expression expects."""


class _Text(string.Template):
    """`${input.name}`; a dollar sign of its own is written `$$`."""

    idpattern = r"(?!)"
    braceidpattern = r"[^{}$]+(?:\{[^{}$]*\}[^{}$]*)*"


class _Values(Mapping[str, str]):
    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data

    @override
    def __getitem__(self, expression: str) -> str:
        value = evaluate(expression, self._data)
        return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)

    @override
    def __iter__(self) -> Iterator[str]:
        raise TypeError("Expressions cannot be listed.")

    @override
    def __len__(self) -> int:
        raise TypeError("Expressions cannot be counted.")


def evaluate(expression: str, data: Mapping[str, Any]) -> Any:
    """The value that the expression finds, None where it finds nothing. Raises `ExpressionFailed`."""
    try:
        return _compiled(expression).search(data)
    except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise ExpressionFailed(f"{expression}: {error}"[:500]) from error


def is_true(expression: str, data: Mapping[str, Any]) -> bool:
    """By JMESPath's rules: false, null and whatever is empty are false, and 0 is true."""
    value = evaluate(expression, data)
    return value is not None and value is not False and value not in ("", [], {})


def fill(text: str, data: Mapping[str, Any]) -> str:
    """The text with the values of its expressions; objects and lists are written as JSON."""
    return _Text(text).substitute(_Values(data))[:_LONGEST_TEXT]


def expression_fault(expression: str) -> str:
    """Why this is no JMESPath expression; empty when it is one."""
    if len(expression) > MOST_CHARACTERS:
        return f"An expression has {MOST_CHARACTERS} characters at most."
    try:
        _compiled(expression)
    except JMESPathError as error:
        return str(error)[:300]
    except RecursionError:
        return "The expression is nested too deeply."
    return ""


def text_fault(text: str) -> str:
    """Why the text cannot be filled in; empty when it can."""
    for found in _Text.pattern.finditer(text):
        if found["invalid"] is not None:
            return f"A $ at character {found.start() + 1} begins no ${{expression}}; write $$ for the sign itself."
        if found["braced"] and (fault := expression_fault(found["braced"])):
            return fault
    return ""


@lru_cache(maxsize=1000)
def _compiled(expression: str) -> ParsedResult:
    return jmespath.compile(expression)
