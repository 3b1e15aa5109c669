"""Reads the answer to one question at the terminal; ends by itself when the question is settled elsewhere."""

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from runtime.repl.questions import Question
from runtime.repl.settlements import SettledElsewhere, Settlements


class AnswerPrompt:
    """Without history: an answer is nobody's next message."""

    # prompt_toolkit redraws the whole line, so the terminal's own input and output are only replaced by tests.
    def __init__(self, *, keyboard: Input | None = None, display: Output | None = None) -> None:
        self._keyboard, self._display = keyboard, display

    def read(self, label: str, question: Question, settlements: Settlements) -> str:
        """The reader's line. Raises `SettledElsewhere`, and `KeyboardInterrupt` or `EOFError` when the reader wants out."""
        session: PromptSession[str] = PromptSession(input=self._keyboard, output=self._display)
        app = session.app

        def leave() -> None:
            if app.is_running and app.future is not None and not app.future.done():
                app.exit(exception=SettledElsewhere())

        def end() -> None:
            # Before the prompt has begun there is no loop; `begun` looks once more then.
            if app.is_running and app.loop is not None:
                app.loop.call_soon_threadsafe(leave)

        def begun() -> None:
            if settlements.has(question):
                leave()

        with settlements.ending(question, end):
            return session.prompt(FormattedText([("bold", f"{label} ")]), pre_run=begun)
