"""What the shell writes on: a terminal with colours and boxes, or a pipe with plain text."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markdown import Markdown
from rich.panel import Panel
from rich.segment import Segment
from rich.status import Status
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from runtime.repl.text import one_line, plain


class Harmless:
    """Whatever it wraps, rendered without hidden links and control characters, also those that Markdown's `&#...;` makes."""

    def __init__(self, inner: RenderableType) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._inner, options):
            style = segment.style.update_link(None) if segment.style else None
            yield Segment(plain(segment.text), style)


class Screen:
    """A terminal."""

    table_box: box.Box | None = box.ASCII
    shows_text_live = True

    def __init__(self, stream: TextIO, *, is_plain: bool = False) -> None:
        # Nothing that is printed is read as rich's own markup.
        self.console = Console(
            file=stream,
            markup=False,
            emoji=False,
            highlight=False,
            soft_wrap=is_plain,
            force_terminal=False if is_plain else None,
        )
        self._spinner: Status | None = None
        self._is_within_line = False

    def line(self, text: str, style: str = "") -> None:
        self._print(Text(plain(text), style=style))

    def piece(self, text: str) -> None:
        """A part of a text that is still being written; whatever else is shown next begins on a new line."""
        if not self._is_within_line and self._spinner:
            # It would be drawn over the unfinished line.
            self._spinner.stop()
        self.console.out(plain(text), end="", highlight=False)
        self._is_within_line = True

    def end_text(self) -> None:
        if self._is_within_line:
            self._is_within_line = False
            self.console.out("", highlight=False)
            if self._spinner:
                self._spinner.start()

    def error(self, text: str, advice: str = "") -> None:
        self.line(text, "red")
        if advice:
            self.line(advice)

    def early_answer(self, text: str) -> None:
        """The answer as soon as the model has given it, before the request is complete."""
        self.answer(text)

    def final_answer(self, text: str, *, early: str) -> None:
        if text != early:
            self.answer(text)

    def answer(self, text: str) -> None:
        body = Harmless(Markdown(plain(text), hyperlinks=False))
        self._print(Panel(body, title="Assistant", box=box.ASCII))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        table = Table(*headings, box=self.table_box)
        for row in rows:
            table.add_row(*(Text(one_line(str(cell))) for cell in row))
        self._print(table)

    @contextlib.contextmanager
    def working(self, text: str) -> Iterator[None]:
        """Shows that something is under way."""
        self._spinner = self.console.status(Text(one_line(text)), spinner="line")
        try:
            with self._spinner:
                yield
        finally:
            self._spinner = None
            self.end_text()

    @contextlib.contextmanager
    def interlude(self) -> Iterator[None]:
        """Leaves the terminal to somebody else for a while."""
        self.end_text()
        spinner = self._spinner
        if spinner:
            spinner.stop()
        try:
            yield
        finally:
            if spinner:
                spinner.start()

    def clear(self) -> None:
        self.console.clear()

    def _print(self, content: RenderableType) -> None:
        self.end_text()
        self.console.print(content)


class PipeScreen(Screen):
    """A pipe: answers on one stream, everything else on the other, nothing but text."""

    table_box = None
    shows_text_live = False

    def __init__(self, answers: TextIO, notes: TextIO) -> None:
        super().__init__(notes, is_plain=True)
        self._answers = answers

    @override
    def early_answer(self, text: str) -> None:
        """Not here: what follows in the pipe reads one answer, the final one."""

    @override
    def final_answer(self, text: str, *, early: str) -> None:
        self.answer(text)

    @override
    def answer(self, text: str) -> None:
        self._answers.write(f"{plain(text)}\n")
        self._answers.flush()

    @override
    @contextlib.contextmanager
    def working(self, text: str) -> Iterator[None]:
        yield
