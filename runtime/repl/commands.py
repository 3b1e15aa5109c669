"""The slash commands (contract 9.4)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from runtime.repl.conversation import Conversation
from runtime.repl.screen import Screen
from runtime.repl.text import one_line


class UsageError(Exception):
    """A command that does not exist or was given what it does not take; the text says what it takes."""


class Leave(Exception):
    """The reader wants to go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    name: str
    help: str
    run: Callable[[Screen, Conversation, list[str]], None]
    aliases: tuple[str, ...] = ()
    arguments: str = ""

    @property
    def usage(self) -> str:
        return f"/{self.name} {self.arguments}".rstrip()


def run_command(line: str, screen: Screen, conversation: Conversation) -> None:
    """Runs the line, which begins with a slash; `UsageError` if it cannot be understood."""
    name, *arguments = line[1:].split() or [""]
    command = _BY_WORD.get(name.lower())
    if command is None:
        raise UsageError(f"There is no command /{name}. /help lists them.")
    if len(arguments) > len(command.arguments.split()):
        raise UsageError(f"Usage: {command.usage}")
    command.run(screen, conversation, arguments)


def command_words() -> list[str]:
    """What completion offers: names, and aliases of more than one letter."""
    return sorted(f"/{word}" for word in _BY_WORD if len(word) > 1)


def _help(screen: Screen, conversation: Conversation, arguments: list[str]) -> None:
    ordered = sorted(COMMANDS, key=lambda command: command.name)
    rows = [(command.usage, ", ".join(f"/{alias}" for alias in command.aliases), command.help) for command in ordered]
    screen.table(("Command", "Aliases", "What it does"), rows)


def _exit(screen: Screen, conversation: Conversation, arguments: list[str]) -> None:
    raise Leave


def _clear(screen: Screen, conversation: Conversation, arguments: list[str]) -> None:
    screen.clear()


def _status(screen: Screen, conversation: Conversation, arguments: list[str]) -> None:
    deployment = conversation.client.health()["deployment"]
    screen.line(f"Deployment:    {conversation.client.base_url}")
    screen.line(f"Primary agent: {deployment['primary_agent_id']}")
    screen.line(f"Current agent: {conversation.agent_id}")
    screen.line(f"Session:       {conversation.session_id}")


def _agents(screen: Screen, conversation: Conversation, arguments: list[str]) -> None:
    agents = conversation.client.list_agents()["agents"]
    screen.table(("Agent", "Role"), [(agent["agent_id"], agent["role"]) for agent in agents])


def _session(screen: Screen, conversation: Conversation, arguments: list[str]) -> None:
    session = conversation.client.get_session(conversation.agent_id, conversation.session_id)
    screen.line(f"Deployment:     {conversation.client.base_url}")
    screen.line(f"Agent:          {conversation.agent_id}")
    screen.line(f"Session:        {conversation.session_id}")
    screen.line(f"Model:          {session['model']}")
    screen.line(f"Max steps:      {session['max_steps']}")
    screen.line(f"Session tokens: {session['session_total_tokens']:,}")


def _sessions(screen: Screen, conversation: Conversation, arguments: list[str]) -> None:
    sessions = conversation.client.list_sessions(conversation.agent_id)["sessions"]
    rows = [(row["session_id"], f"{row['turn_count']:,}", f"{row['session_total_tokens']:,}") for row in sessions]
    screen.table(("Session ID", "Turns", "Tokens"), rows)


def _history(screen: Screen, conversation: Conversation, arguments: list[str]) -> None:
    if arguments and not arguments[0].isdecimal():
        raise UsageError("Usage: /history [limit], where limit is a whole number")
    limit = int(arguments[0]) if arguments else None
    turns = conversation.client.get_history(conversation.agent_id, conversation.session_id, limit=limit)["turns"]
    screen.line(f"{len(turns)} turn{'' if len(turns) == 1 else 's'} in session {conversation.session_id}", "bold")
    for number, turn in enumerate(turns, start=1):
        screen.line(f"--- Turn {number} ---", "dim")
        screen.line(f"You: {turn['user_message']}")
        screen.line(f"{conversation.agent_id}: {turn['agent_response']}")


def _use(screen: Screen, conversation: Conversation, arguments: list[str]) -> None:
    if not arguments:
        raise UsageError("Usage: /use <agent_id>. /agents lists the agents.")
    conversation.switch_to(arguments[0])
    screen.line(f"Now with {one_line(conversation.agent_id)}, session {one_line(conversation.session_id)}.")


COMMANDS = (
    Command(name="help", aliases=("h", "?"), help="List the commands.", run=_help),
    Command(name="exit", aliases=("quit", "q"), help="Leave.", run=_exit),
    Command(name="clear", aliases=("cls",), help="Clear the screen.", run=_clear),
    Command(name="status", help="Show the deployment, the agent and the session.", run=_status),
    Command(name="agents", help="List the agents.", run=_agents),
    Command(name="session", help="Show this session's model, limits and tokens.", run=_session),
    Command(name="sessions", help="List the sessions with this agent.", run=_sessions),
    Command(name="history", arguments="[limit]", help="Show this session's turns, or the newest ones.", run=_history),
    Command(name="use", arguments="<agent_id>", help="Talk to another agent.", run=_use),
)


def _words(commands: tuple[Command, ...]) -> Iterator[tuple[str, Command]]:
    for command in commands:
        for word in (command.name, *command.aliases):
            yield word, command


_BY_WORD = dict(_words(COMMANDS))
