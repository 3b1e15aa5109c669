"""`read_file`, `list_files` and `search_files` for one directory."""

from collections.abc import Iterable
from pathlib import Path

from agents.tools.base import Tool, ToolResult
from agents.tools.context import ToolContext
from agents.tools.files.read import MAX_LINES, read_lines
from agents.tools.files.root import FileRoot, NotAllowed
from agents.tools.files.search import MAX_MATCHES, search
from agents.tools.files.walk import Budget, matcher, walk
from agents.tools.function import function_tool

_MAX_ENTRIES = 500
_MAX_DEPTH = 10


def file_tools(root: Path, *, without: Iterable[Path] = ()) -> list[Tool]:
    """Tools that read below `root`: no links, no names that begin with a dot, nothing of the folders in `without`."""
    files = _Files(FileRoot(root, without=without))
    return [
        function_tool(function, crash_policy="idempotent", parallel_safe=True)
        for function in (files.read_file, files.list_files, files.search_files)
    ]


class _Files:
    def __init__(self, root: FileRoot) -> None:
        self._root = root

    def read_file(self, path: str, start_line: int = 1, line_count: int = MAX_LINES) -> ToolResult:
        """Read a text file, each line with its number.

        Args:
            path: The file, relative to the root, such as src/main.py.
            start_line: The first line to show; 1 is the file's first.
            line_count: How many lines to show, at most 1000.
        """
        try:
            return read_lines(self._root, path, start=max(1, start_line), count=max(1, min(line_count, MAX_LINES)))
        except NotAllowed as error:
            return ToolResult.error(str(error))

    def list_files(self, context: ToolContext, path: str = ".", glob: str = "", depth: int = 2) -> ToolResult:
        """List files and folders; folders end with a slash. Folders of dependencies and build products are left out.

        Args:
            path: The folder to list, relative to the root.
            glob: Only paths that match, by the rules of .gitignore: *.py at any depth, docs/**/*.md below docs.
            depth: How many levels to go down, at most 10; 1 is the folder itself.
        """
        budget, lines = Budget(should_stop=context.cancelled), []
        try:
            matches, prefix = matcher(glob), _prefix(path)
            with self._root.folder(path) as folder:
                for entry in walk(self._root, folder, prefix, budget, depth=max(1, min(depth, _MAX_DEPTH))):
                    shown = f"{entry.path}/" if entry.is_folder else f"{entry.path} ({entry.size} bytes)"
                    if matches(f"{entry.path}/" if entry.is_folder else entry.path):
                        lines.append(shown)
                    if len(lines) >= _MAX_ENTRIES:
                        budget.spent = f"after {_MAX_ENTRIES} entries"
                        break
        except (NotAllowed, ValueError, OSError) as error:
            return ToolResult.error(str(error))
        return _listed(lines, budget, nothing="Nothing there.")

    def search_files(
        self, context: ToolContext, pattern: str, path: str = ".", glob: str = "", ignore_case: bool = False
    ) -> ToolResult:
        """Search the lines of text files for a regular expression; answers path:line: text.

        Args:
            pattern: A regular expression in RE2's syntax, which has no look-around and no back references.
            path: The folder to search, relative to the root.
            glob: Only files that match, by the rules of .gitignore: *.py at any depth, docs/**/*.md below docs.
            ignore_case: Whether case does not matter.
        """
        budget = Budget(should_stop=context.cancelled)
        try:
            with self._root.folder(path) as folder:
                entries = walk(self._root, folder, _prefix(path), budget)
                lines = search(entries, pattern, matcher(glob), budget, ignore_case=ignore_case)
        except (NotAllowed, ValueError, OSError) as error:
            return ToolResult.error(str(error))
        return _listed(lines, budget, nothing="No line matches.", most=MAX_MATCHES)


def _prefix(path: str) -> str:
    parts = [part for part in path.split("/") if part not in {"", "."}]
    return "/".join([*parts, ""]) if parts else ""


def _listed(lines: list[str], budget: Budget, *, nothing: str, most: int = _MAX_ENTRIES) -> ToolResult:
    ended = [f"[ended {budget.spent}: there may be more; narrow it down]"] if budget.spent else []
    return ToolResult.success("\n".join([*(lines[:most] or [nothing]), *ended]))
