"""What the shell and its commands work with: a screen, a conversation, and somebody who answers questions."""

import enum
from dataclasses import dataclass, field

from runtime.client import MashHostClientError
from runtime.repl.askers import Asker, LeftOpen
from runtime.repl.connection import advice
from runtime.repl.conversation import Conversation
from runtime.repl.questions import Question
from runtime.repl.screen import Screen
from runtime.repl.settlements import SettledElsewhere, Settlements
from runtime.repl.show_question import show_question

_ILLEGAL = "ILLEGAL_ANSWER"
_SETTLED = frozenset({"INTERACTION_ANSWERED", "INTERACTION_EXPIRED"})


class Answering(enum.Enum):
    """What came of asking."""

    DONE = "done"
    SETTLED_ELSEWHERE = "settled elsewhere"
    LEFT_OPEN = "left open"


@dataclass(slots=True, kw_only=True)
class Desk:
    screen: Screen
    conversation: Conversation
    asker: Asker
    inbox: list[Question] = field(default_factory=list)
    """What `/inbox` has listed, so that a number means the same a moment later."""

    def settle(self, question: Question, settlements: Settlements) -> Answering:
        """Shows the question, asks for an answer and sends it, until there is one that counts."""
        with self.screen.interlude():
            show_question(self.screen, question)
            try:
                while not self._is_answered(question, settlements):
                    pass
            except SettledElsewhere:
                self.screen.line("Settled elsewhere: this needs no answer any more.", "yellow")
                return Answering.SETTLED_ELSEWHERE
            except LeftOpen:
                return Answering.LEFT_OPEN
            except MashHostClientError as error:
                self.screen.error(str(error), advice(error))
                return Answering.LEFT_OPEN
        return Answering.DONE

    def _is_answered(self, question: Question, settlements: Settlements) -> bool:
        """False: the deployment says that this was no answer, so ask again."""
        response = self.asker.ask(question, settlements)
        client = self.conversation.client
        try:
            client.answer_interaction(question.agent_id, question.request_id, question.interaction_id, response)
        except MashHostClientError as error:
            if error.code in _SETTLED:
                raise SettledElsewhere from error
            if error.code != _ILLEGAL:
                raise
            self.asker.refused(question, error.message)
            return False
        return True
