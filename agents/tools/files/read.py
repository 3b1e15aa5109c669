"""Shows lines of a text file, within bounds."""

import os

from agents.tools.base import ToolResult
from agents.tools.files.root import FileRoot, NotAllowed

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_LINES = 1000
_MAX_SHOWN_BYTES = 56 * 1024
_MAX_LINE_CHARACTERS = 2000
_SNIFFED_BYTES = 8192


def read_lines(root: FileRoot, path: str, *, start: int, count: int) -> ToolResult:
    """The lines with their numbers, and a notice when there are more."""
    with root.file(path) as file:
        content = read_text(file, path)
    lines = content.split("\n")
    if lines[-1] == "":
        lines.pop()
    if start > len(lines) and lines:
        return ToolResult.error(f"{path!r} has {len(lines)} lines only.")
    shown, size = [], 0
    for number, line in enumerate(lines[start - 1 : start - 1 + count], start):
        text = f"{number}\t{line.rstrip(chr(13))[:_MAX_LINE_CHARACTERS]}"
        size += len(text.encode()) + 1
        if size > _MAX_SHOWN_BYTES:
            break
        shown.append(text)
    last = start + len(shown) - 1
    notice = [f"[lines {start} to {last} of {len(lines)}]"] if (start, last) != (1, len(lines)) else []
    return ToolResult.success("\n".join([*shown, *notice]) if lines else "[The file is empty.]")


def read_text(file: int, path: str) -> str:
    """The whole of an open file that is small enough and text."""
    size = os.fstat(file).st_size
    if size > MAX_FILE_BYTES:
        raise NotAllowed(f"{path!r} has {size} bytes; at most {MAX_FILE_BYTES} can be read.")
    with os.fdopen(os.dup(file), "rb") as stream:
        content = stream.read(MAX_FILE_BYTES)
    if is_binary(content):
        raise NotAllowed(f"{path!r} is not a text file.")
    return content.decode("utf-8", "replace")


def is_binary(content: bytes) -> bool:
    return b"\x00" in content[:_SNIFFED_BYTES]
