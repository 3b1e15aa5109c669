"""Who answers a request's questions: the person at the terminal, a rule from the command line, or nobody here."""

from typing import Any, Protocol

from runtime.repl.prompt import AnswerPrompt
from runtime.repl.questions import APPROVAL, CHOICE, NoAnswer, Question
from runtime.repl.screen import Screen
from runtime.repl.settlements import Settlements
from runtime.repl.show_question import how_to_answer

_LABELS = {APPROVAL: "approve? [y/N/note]", CHOICE: "your choice (numbers, separated by commas):"}
_HELP = {APPROVAL: "y approves; n or nothing denies; other words are a note to the model, and deny. "}


class LeftOpen(Exception):
    """The question stays as it is: nobody has answered here."""


class Asker(Protocol):
    def ask(self, question: Question, settlements: Settlements) -> Any:
        """The answer to send. Raises `LeftOpen` or `SettledElsewhere`."""

    def refused(self, question: Question, message: str) -> None:
        """Hears that the deployment did not take the answer. Raises `LeftOpen` if there is no other."""


class TerminalAsker:
    def __init__(self, screen: Screen, prompt: AnswerPrompt | None = None) -> None:
        self._screen = screen
        self._prompt = prompt or AnswerPrompt()

    def ask(self, question: Question, settlements: Settlements) -> Any:
        self._screen.line(f"  {_HELP.get(question.kind, '')}Ctrl-C leaves the question open.", "dim")
        while True:
            try:
                line = self._prompt.read(_LABELS.get(question.kind, "your answer:"), question, settlements)
                return question.answer(line)
            except NoAnswer as error:
                self._screen.line(str(error), "yellow")
            except (KeyboardInterrupt, EOFError) as error:
                raise LeftOpen from error

    def refused(self, question: Question, message: str) -> None:
        self._screen.line(message, "yellow")


class PipeAsker:
    """There is nobody to ask, and nothing is denied on anybody's behalf."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def ask(self, question: Question, settlements: Settlements) -> Any:
        self._screen.line(how_to_answer(question))
        raise LeftOpen

    def refused(self, question: Question, message: str) -> None:
        raise LeftOpen


class RuleAsker:
    """Decides approvals as the command line said; other questions go on to whoever else there is."""

    def __init__(self, screen: Screen, decision: str, otherwise: Asker) -> None:
        self._screen, self._decision, self._otherwise = screen, decision, otherwise

    def ask(self, question: Question, settlements: Settlements) -> Any:
        if question.kind != APPROVAL:
            return self._otherwise.ask(question, settlements)
        self._screen.line(f"  --approve answers: {self._decision}", "dim")
        return self._decision

    def refused(self, question: Question, message: str) -> None:
        if question.kind == APPROVAL:
            raise LeftOpen
        self._otherwise.refused(question, message)
