"""Takes a line from the reader: a command or a message; never dies of what goes wrong with it."""

from runtime.client import MashHostClientError
from runtime.repl.command import UsageError
from runtime.repl.commands import run_command
from runtime.repl.connection import advice
from runtime.repl.conversation import NoSuchAgent
from runtime.repl.desk import Desk
from runtime.repl.view import Outcome
from runtime.repl.watch import watch_request


class Shell:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def handle(self, line: str) -> Outcome:
        """Runs the line and shows what comes of it; `Leave` passes through."""
        screen = self.desk.screen
        try:
            return run_command(line, self.desk) if line.startswith("/") else self._ask(line)
        except KeyboardInterrupt:
            screen.line("Interrupted.", "yellow")
            return Outcome.INTERRUPTED
        except MashHostClientError as error:
            screen.error(str(error), advice(error))
        except (UsageError, NoSuchAgent) as error:
            screen.line(str(error), "yellow")
        return Outcome.FAILED

    def _ask(self, message: str) -> Outcome:
        """Sends the message and watches its request."""
        talk = self.desk.conversation
        accepted = talk.client.submit_request(talk.agent_id, message, talk.session_id)
        talk.session_id = str(accepted.get("session_id") or talk.session_id)
        return watch_request(self.desk, talk.agent_id, str(accepted["request_id"]))
