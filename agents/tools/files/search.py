"""Searches files line by line with RE2, which takes linear time whatever the expression."""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import re2

from agents.tools.files.read import read_text
from agents.tools.files.root import NotAllowed, open_file
from agents.tools.files.walk import Budget, Entry

MAX_MATCHES = 200
_MAX_SEARCHED_BYTES = 2 * 1024 * 1024
_MAX_LINE_CHARACTERS = 300
_MAX_PATTERN_CHARACTERS = 1000


def search(
    entries: Iterator[Entry], pattern: str, matches: Callable[[str], bool], budget: Budget, *, ignore_case: bool
) -> list[str]:
    """`path:line: text` of each line that matches; a `ValueError` when the expression cannot be used."""
    expression, found = _compile(pattern, ignore_case=ignore_case), list[str]()
    for entry in entries:
        if entry.is_folder or not matches(entry.path) or entry.size > _MAX_SEARCHED_BYTES:
            continue
        found += _lines_of(entry, expression, most=MAX_MATCHES - len(found))
        if len(found) >= MAX_MATCHES:
            budget.spent = f"after {MAX_MATCHES} lines"
            break
    return found


def _compile(pattern: str, *, ignore_case: bool) -> Any:
    if len(pattern) > _MAX_PATTERN_CHARACTERS:
        raise ValueError(f"The pattern is longer than {_MAX_PATTERN_CHARACTERS} characters.")
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        detail = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"The pattern cannot be used: {detail}") from error


def _lines_of(entry: Entry, expression: Any, *, most: int) -> Iterable[str]:
    try:
        file = open_file(entry.folder, entry.name, entry.path)
        try:
            text = read_text(file, entry.path)
        finally:
            os.close(file)
    except (NotAllowed, OSError):
        return []
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if expression.search(line):
            found.append(f"{entry.path}:{number}: {line.strip()[:_MAX_LINE_CHARACTERS]}")
            if len(found) >= most:
                break
    return found
