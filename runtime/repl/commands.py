"""The slash commands (contract 9.4, and those that steer requests)."""

from collections.abc import Iterator

from runtime.repl.command import Command, Leave, UsageError, checked_limit
from runtime.repl.desk import Desk
from runtime.repl.memory import MEMORY
from runtime.repl.steering import STEERING
from runtime.repl.text import one_line
from runtime.repl.view import Outcome
from runtime.repl.workflows import WORKFLOWS


def run_command(line: str, desk: Desk) -> Outcome:
    """Runs the line, which begins with a slash; `UsageError` if it cannot be understood."""
    name, _, rest = line[1:].partition(" ")
    command = _BY_WORD.get(name.lower())
    if command is None:
        raise UsageError(f"There is no command /{name}. /help lists them.")
    arguments = rest.split() if not command.takes_text else [rest.strip()] if rest.strip() else []
    if len(arguments) > len(command.arguments.split()):
        raise UsageError(f"Usage: {command.usage}")
    return command.run(desk, arguments)


def command_words() -> list[str]:
    """What completion offers: names, and aliases of more than one letter."""
    return sorted(f"/{word}" for word in _BY_WORD if len(word) > 1)


def _help(desk: Desk, arguments: list[str]) -> Outcome:
    ordered = sorted(COMMANDS, key=lambda command: command.name)
    rows = [(command.usage, ", ".join(f"/{alias}" for alias in command.aliases), command.help) for command in ordered]
    desk.screen.table(("Command", "Aliases", "What it does"), rows)
    return Outcome.ANSWERED


def _exit(desk: Desk, arguments: list[str]) -> Outcome:
    raise Leave


def _clear(desk: Desk, arguments: list[str]) -> Outcome:
    desk.screen.clear()
    return Outcome.ANSWERED


def _status(desk: Desk, arguments: list[str]) -> Outcome:
    screen, conversation = desk.screen, desk.conversation
    deployment = conversation.client.health()["deployment"]
    screen.line(f"Deployment:    {conversation.client.base_url}")
    screen.line(f"Primary agent: {deployment['primary_agent_id']}")
    screen.line(f"Current agent: {conversation.agent_id}")
    screen.line(f"Session:       {conversation.session_id}")
    return Outcome.ANSWERED


def _agents(desk: Desk, arguments: list[str]) -> Outcome:
    screen, conversation = desk.screen, desk.conversation
    agents = conversation.client.list_agents()["agents"]
    screen.table(("Agent", "Role"), [(agent["agent_id"], agent["role"]) for agent in agents])
    return Outcome.ANSWERED


def _session(desk: Desk, arguments: list[str]) -> Outcome:
    screen, conversation = desk.screen, desk.conversation
    session = conversation.client.get_session(conversation.agent_id, conversation.session_id)
    screen.line(f"Deployment:     {conversation.client.base_url}")
    screen.line(f"Agent:          {conversation.agent_id}")
    screen.line(f"Session:        {conversation.session_id}")
    screen.line(f"Model:          {session['model']}")
    screen.line(f"Max steps:      {session['max_steps']}")
    screen.line(f"Session tokens: {session['session_total_tokens']:,}")
    return Outcome.ANSWERED


def _sessions(desk: Desk, arguments: list[str]) -> Outcome:
    screen, conversation = desk.screen, desk.conversation
    sessions = conversation.client.list_sessions(conversation.agent_id)["sessions"]
    rows = [(row["session_id"], f"{row['turn_count']:,}", f"{row['session_total_tokens']:,}") for row in sessions]
    screen.table(("Session ID", "Turns", "Tokens"), rows)
    return Outcome.ANSWERED


def _history(desk: Desk, arguments: list[str]) -> Outcome:
    screen, conversation = desk.screen, desk.conversation
    limit = checked_limit(arguments, "/history [limit]")
    turns = conversation.client.get_history(conversation.agent_id, conversation.session_id, limit=limit)["turns"]
    screen.line(f"{len(turns)} turn{'' if len(turns) == 1 else 's'} in session {conversation.session_id}", "bold")
    for number, turn in enumerate(turns, start=1):
        screen.line(f"--- Turn {number} ---", "dim")
        screen.line(f"You: {turn['user_message']}")
        screen.line(f"{conversation.agent_id}: {turn['agent_response']}")
    return Outcome.ANSWERED


def _use(desk: Desk, arguments: list[str]) -> Outcome:
    screen, conversation = desk.screen, desk.conversation
    if not arguments:
        raise UsageError("Usage: /use <agent_id>. /agents lists the agents.")
    conversation.switch_to(arguments[0])
    screen.line(f"Now with {one_line(conversation.agent_id)}, session {one_line(conversation.session_id)}.")
    return Outcome.ANSWERED


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
    *STEERING,
    *MEMORY,
    *WORKFLOWS,
)


def _words(commands: tuple[Command, ...]) -> Iterator[tuple[str, Command]]:
    for command in commands:
        for word in (command.name, *command.aliases):
            yield word, command


_BY_WORD = dict(_words(COMMANDS))
