"""Takes a line from the reader: a command or a message; never dies of what goes wrong with it."""

from runtime.client import MashHostClientError
from runtime.repl.commands import UsageError, run_command
from runtime.repl.connection import advice
from runtime.repl.conversation import Conversation, NoSuchAgent
from runtime.repl.screen import Screen
from runtime.repl.view import Outcome, RequestView


class Shell:
    def __init__(self, screen: Screen, conversation: Conversation) -> None:
        self.screen = screen
        self.conversation = conversation

    def handle(self, line: str) -> Outcome:
        """Runs the line and shows what comes of it; `Leave` passes through."""
        try:
            if not line.startswith("/"):
                return self._ask(line)
            run_command(line, self.screen, self.conversation)
        except KeyboardInterrupt:
            self.screen.line("Interrupted.", "yellow")
            return Outcome.INTERRUPTED
        except MashHostClientError as error:
            self.screen.error(str(error), advice(error))
            return Outcome.FAILED
        except (UsageError, NoSuchAgent) as error:
            self.screen.line(str(error), "yellow")
            return Outcome.FAILED
        return Outcome.ANSWERED

    def _ask(self, message: str) -> Outcome:
        """Sends the message and watches its request; Ctrl-C ends the watching, not the request."""
        talk = self.conversation
        view = RequestView(self.screen, talk.agent_id)
        with self.screen.working(f"{talk.agent_id} is at work (Ctrl-C stops watching)"):
            request_id = str(talk.client.submit_request(talk.agent_id, message, talk.session_id)["request_id"])
            try:
                for event in talk.client.stream_request(talk.agent_id, request_id):
                    view.take(event)
                view.close()
            except KeyboardInterrupt:
                self.screen.line(
                    f"No longer watching. Request {request_id} goes on; /history shows its answer.", "yellow"
                )
                return Outcome.INTERRUPTED
            except MashHostClientError as error:
                self.screen.error(str(error), f"Request {request_id} goes on without us. {advice(error)}".rstrip())
                return Outcome.FAILED
        talk.session_id = view.session_id or talk.session_id
        return view.outcome
