"""`write_note`: the pilot's one tool that changes something, so a person approves each call."""

import os
from pathlib import Path

from django.conf import settings
from django.utils.text import slugify

from agents.tools.base import Tool, ToolResult
from agents.tools.context import ToolContext
from agents.tools.function import function_tool

MAX_TITLE = 100
MAX_TEXT = 20_000
MAX_NOTES = 500


def notes_tool() -> Tool:
    return function_tool(write_note, requires_approval=True)


def write_note(context: ToolContext, title: str, text: str) -> ToolResult:
    """Keep a short Markdown note for the person you work for. They are asked before it is written.

    Args:
        title: A line of at most 100 characters that no other note has.
        text: The note in Markdown, at most 20,000 characters.
    """
    name, title = slugify(title), " ".join(title.split())
    if not name or len(title) > MAX_TITLE:
        return ToolResult.error(f"title must hold letters or digits, and at most {MAX_TITLE} characters.")
    if not text.strip() or len(text) > MAX_TEXT:
        return ToolResult.error(f"text must hold something, and at most {MAX_TEXT} characters.")
    folder = notes_folder(context.workspace)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if len(os.listdir(folder)) >= MAX_NOTES:
        return ToolResult.error(f"There are {MAX_NOTES} notes already; a person must remove some.")
    try:
        with (folder / f"{name}.md").open("x", encoding="utf-8") as note:
            note.write(f"# {title}\n\n{text.strip()}\n")
    except FileExistsError:
        return ToolResult.error(f"There is a note {name}.md already; choose another title.")
    return ToolResult.success(f"Written to {name}.md.")


def notes_folder(workspace: str) -> Path:
    """Each workspace's notes lie in a folder of their own, which no file tool of the pilot can read."""
    return Path(settings.MASH_DATA_DIR) / "notes" / workspace
