"""Walks the files below a folder in a steady order, within bounds of number and time."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import re2
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from agents.tools.files.root import IGNORED, FileRoot, open_folder

MAX_FILES = 20_000
MAX_DEPTH = 30


@dataclass(slots=True, kw_only=True)
class Budget:
    """What a walk may take; `spent` says why it ended early."""

    should_stop: Callable[[], bool]
    seconds: float = 10.0
    files: int = MAX_FILES
    spent: str = ""
    _began: float = field(default_factory=time.monotonic)

    def allows_another(self) -> bool:
        self.files -= 1
        if self.files < 0:
            self.spent = f"after {MAX_FILES} files"
        elif time.monotonic() - self._began > self.seconds:
            self.spent = f"after {self.seconds:g} seconds"
        elif self.should_stop():
            self.spent = "as the request was stopped"
        return not self.spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    path: str
    """Relative to the root."""
    folder: int
    """A descriptor of the folder that holds it; open until the walk goes on."""
    name: str
    is_folder: bool
    size: int


def walk(root: FileRoot, folder: int, prefix: str, budget: Budget, *, depth: int = MAX_DEPTH) -> Iterator[Entry]:
    """Files and folders below an open folder, each folder before what it holds."""
    for name in sorted(os.listdir(folder)):
        if root.is_hidden(folder, name):
            continue
        if not budget.allows_another():
            return
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            continue
        is_folder, path = stat.S_ISDIR(found.st_mode), f"{prefix}{name}"
        if not (is_folder or stat.S_ISREG(found.st_mode)) or (is_folder and name in IGNORED):
            continue
        yield Entry(path=path, folder=folder, name=name, is_folder=is_folder, size=found.st_size)
        if is_folder and depth > 1:
            yield from _within(root, folder, name, f"{path}/", budget, depth - 1)


def matcher(glob: str) -> Callable[[str], bool]:
    """Whether a path matches, by the rules of .gitignore: `*.py` at any depth, `src/**/*.py` below src."""
    if not glob:
        return lambda _path: True
    expression = _compiled(glob)
    return lambda path: bool(expression.match(path))


def _within(root: FileRoot, folder: int, name: str, prefix: str, budget: Budget, depth: int) -> Iterator[Entry]:
    try:
        inner = open_folder(folder, name)
    except OSError:
        return
    try:
        yield from walk(root, inner, prefix, budget, depth=depth)
    finally:
        os.close(inner)


@lru_cache(maxsize=200)
def _compiled(glob: str) -> Any:
    """With RE2, as a glob of many stars takes Python's expressions for ever."""
    expression, _ = GitIgnoreSpecPattern.pattern_to_regex(glob)
    if not expression:
        raise ValueError("the glob matches nothing")
    return re2.compile(expression)
