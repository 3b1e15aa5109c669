"""Shows what a model says while it says it, each character once, whatever the stream repeats or leaves out."""

from runtime.repl.screen import Screen


class SpokenText:
    """The text of one model call."""

    def __init__(self, screen: Screen, label: str) -> None:
        self._screen = screen
        self._label = label
        self._heard = ""
        self._shown = ""

    def hear(self, piece: str, *, is_first: bool) -> None:
        """The next piece; the first one again when the stream was cut, with what has been said so far, or on another try."""
        self._heard = piece if is_first else self._heard + piece
        self._catch_up()

    def end(self, whole: str) -> bool:
        """True if the whole text now stands on the screen; False if none of it was shown, or another one was."""
        shown, self._heard = self._shown, whole
        if shown and whole.startswith(shown):
            self._catch_up()
        self._heard = self._shown = ""
        self._screen.end_text()
        return bool(shown) and whole.strip().startswith(shown.strip())

    def begin_anew(self) -> None:
        """What was said counts no more."""
        self._heard = self._shown = ""
        self._screen.end_text()

    def _catch_up(self) -> None:
        if self._shown.startswith(self._heard):
            # After a cut, the stream tells again what is on the screen already.
            return
        if not self._heard.startswith(self._shown):
            self._shown = ""
        if not self._shown:
            self._screen.line(f"{self._label} says:", "dim")
        self._screen.piece(self._heard[len(self._shown) :])
        self._shown = self._heard
