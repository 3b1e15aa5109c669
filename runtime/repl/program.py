"""The whole of `mash_repl` but for its arguments: connect, then talk through a terminal or a pipe."""

import io
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.client import MashClient, MashHostClientError
from runtime.repl.askers import Asker, PipeAsker, RuleAsker, TerminalAsker
from runtime.repl.command import Leave
from runtime.repl.connection import NoConnection, advice, find_connection
from runtime.repl.conversation import Conversation, NoSuchAgent
from runtime.repl.desk import Desk
from runtime.repl.editor import make_editor
from runtime.repl.screen import PipeScreen, Screen
from runtime.repl.shell import Shell
from runtime.repl.text import plain
from runtime.repl.view import Outcome

WAITING = 3
INTERRUPTED = 130
_ENDS = {Outcome.INTERRUPTED: INTERRUPTED, Outcome.WAITING: WAITING}
_DECISIONS = {"all": "approve", "none": "deny"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for on the command line."""

    api_base_url: str | None = None
    api_key: str | None = None
    agent: str | None = None
    session_id: str | None = None
    approve: str | None = None


def run(options: Options, *, environment: Mapping[str, str], local_file: Path) -> int:
    """Talks until the reader leaves or the input ends; the exit code."""
    _tolerate_odd_characters()
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    screen = Screen(sys.stdout) if is_terminal else PipeScreen(sys.stdout, sys.stderr)
    try:
        connection = find_connection(
            api_base_url=options.api_base_url,
            api_key=options.api_key,
            environment=environment,
            local_file=local_file,
        )
        with MashClient(connection.api_base_url, connection.api_key) as client:
            talk = Conversation.open(client, agent_id=options.agent or "", session_id=options.session_id or "")
            asker = _asker(screen, options.approve, is_terminal=is_terminal)
            shell = Shell(Desk(screen=screen, conversation=talk, asker=asker))
            return run_terminal(shell) if is_terminal else run_pipe(shell, sys.stdin)
    except (NoConnection, NoSuchAgent) as error:
        Screen(sys.stderr, is_plain=not is_terminal).error(str(error))
    except MashHostClientError as error:
        Screen(sys.stderr, is_plain=not is_terminal).error(str(error), advice(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our answers has gone; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def run_terminal(shell: Shell) -> int:
    """Reads lines with the editor until the reader leaves."""
    screen, talk = shell.desk.screen, shell.desk.conversation
    editor = make_editor(talk.agent_id)
    screen.line(f"{talk.agent_id}@remote", "bold cyan")
    screen.line("Write a message, or /help for the commands.", "dim")
    try:
        while True:
            line = _clean(editor.prompt())
            if line:
                shell.handle(line)
    except (EOFError, KeyboardInterrupt, Leave):
        screen.line(f"Goodbye. To come back: --agent {talk.agent_id} --session-id {talk.session_id}")
    return 0


def run_pipe(shell: Shell, lines: Iterable[str]) -> int:
    """Sends line after line, up to one that leaves a question open; 0 if all were answered."""
    has_failed = False
    try:
        for line in map(_clean, lines):
            outcome = shell.handle(line) if line else Outcome.ANSWERED
            if outcome in _ENDS:
                return _ENDS[outcome]
            has_failed = has_failed or outcome is Outcome.FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Leave:
        pass
    return 1 if has_failed else 0


def _asker(screen: Screen, approve: str | None, *, is_terminal: bool) -> Asker:
    asker: Asker = TerminalAsker(screen) if is_terminal else PipeAsker(screen)
    return RuleAsker(screen, _DECISIONS[approve], asker) if approve else asker


def _clean(line: str) -> str:
    return plain(line).strip()


def _tolerate_odd_characters() -> None:
    """What the terminal's encoding lacks becomes a question mark instead of a crash."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
