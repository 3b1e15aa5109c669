"""The line editor of the terminal: history, completion, suggestions."""

import os
import re
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from runtime.repl.commands import command_words

_PROMPT = FormattedText([("bold ansicyan", "> ")])
_MAX_SLUG = 100


def make_editor(agent_id: str) -> PromptSession[str]:
    """An editor whose history is that of earlier talks with the agent."""
    return PromptSession(
        _PROMPT,
        history=open_history(history_file(agent_id)),
        completer=WordCompleter(command_words(), ignore_case=True, sentence=True),
        complete_while_typing=True,
        auto_suggest=AutoSuggestFromHistory(),
    )


def history_file(agent_id: str) -> Path:
    """In the home directory, not the current one: what was asked is private and belongs to no project."""
    slug = re.sub(r"[^a-z0-9]", "_", f"{agent_id}@remote".lower())[-_MAX_SLUG:]
    return Path("~/.mash").expanduser() / f"{slug}_history"


def open_history(file: Path) -> History:
    """The file, readable for its owner only; without a home to write to, a history for this run."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
        file.chmod(0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(file)
